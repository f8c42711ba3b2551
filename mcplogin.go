// Package mcplogin gets an OAuth token for an MCP server, keeps it fresh and
// safe, and hands it to whatever needs it.
//
// Most programs need three calls: [Open] a [Session] for a profile, then
// [Session.Token] or [Session.Transport]. They read what `mcp-login login` has
// stored and refresh it when due; they never prompt. A program that may talk to
// a person passes flows and calls [Session.Ensure] instead.
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
// A refresh token is spent by one holder at a time, across processes and, if
// the store spans hosts, across hosts; its answer is stored before it is used.
// It is sent to no endpoint but the one seen at login. A change of
// authorization server is refused until a person agrees. Types that hold
// secrets print as redacted. The package reads no environment, opens no file
// and no terminal: stores and flows are passed in.
//
// # Stability
//
// Exported names follow semantic versioning. Every stored record has a version
// and stays readable; an upgrade signs nobody out.
package mcplogin
