// Package access opens what commands work with: the store or the agent in its place,
// sessions for its credentials, sign-ins, clients for servers, and secrets from their
// sources. It is handed the streams, the settings and the options of one run, and must
// not know which command that is, how its flags are parsed, or what it prints.
package access

import (
	"log/slog"
	"time"

	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/extraheader"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/outbound"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Options say which store a command uses, how it reaches servers, and what it accepts.
type Options struct {
	Store, ProfileDir, Keeper string              // see stores.Location
	CACert                    string              // PEM file of certificates to trust beside the system's
	Timeout                   time.Duration       // of one request to a server
	MinTTL                    time.Duration       // a token that expires sooner is refreshed
	ExpectIssuer              string              // the only authorization server to accept; "": any
	ExpectAudience            string              // that a credential from another host may request
	Headers                   extraheader.Headers // that each request to the origin of an MCP server has
}

// Location is the store that the options name.
func (o Options) Location() stores.Location {
	return stores.Location{Store: o.Store, ProfileDir: o.ProfileDir, Keeper: o.Keeper}
}

// Opener opens what one run of a command works with.
type Opener struct {
	Options
	invocation.Invocation
	Streams terminal.Streams
	Hidden  *redact.Redactor // learns each secret, so that no log and no error shows it
	Hosts   *oauth.Hosts     // what clients learn of the hosts of MCP servers; nil: each learns for itself
	Step    *cistep.Step     // who this CI job is; nil: that is not asked
	Dirs    paths.Dirs
	Log     *slog.Logger
}

// Outbound returns what makes clients for MCP servers.
func (o Opener) Outbound() outbound.Options {
	return outbound.Options{CACert: o.CACert, Timeout: o.Timeout, Getenv: o.Getenv, Hosts: o.Hosts, Headers: o.Headers}
}
