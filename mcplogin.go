// Package mcplogin gets an OAuth token for an MCP server, stores it safely,
// refreshes it, and provides it to programs.
//
// Most programs need three calls: [Open] a [Session] for a profile, then
// [Session.Token] or [Session.Transport]. They read what `mcp-login login`
// stored and refresh it when due; they never prompt. A program that may prompt
// the user passes flows and calls [Session.Ensure] instead.
//
//	store, err := file.Open(file.Config{Dir: dir, Keeper: file.KeyFile{Dir: keys}})
//	...
//	s, err := mcplogin.Open(mcplogin.Config{Profile: "notion", Source: mcplogin.Stored(store)})
//	...
//	client := &http.Client{Transport: s.Transport(nil)}
//
// A Session is also the MCP Go SDK's auth.OAuthHandler ([Session.TokenSource],
// [Session.Authorize]).
//
// # Security
//
// A refresh token is used by one process at a time, across hosts too if the
// store is shared; the new token is stored before it is used. A refresh token
// is sent only to the endpoint seen at login. A change of authorization server
// is an error until the user accepts it. Types that hold secrets print as
// redacted. The package reads no environment variables and opens no files or
// terminals: stores and flows are passed in.
//
// # Stability
//
// Exported names follow semantic versioning. Every stored record has a version
// and stays readable; an upgrade never requires a new sign-in.
package mcplogin
