// Package access opens what commands work with: the store or the agent, sessions for
// credentials, sign-ins, clients for servers, and secrets from their sources. It gets
// the streams, the settings and the options of one run, and must not know which
// command that is, how its flags are parsed, or what it prints.
package access

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/extraheader"
	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Options say which store a command uses, how it reaches servers, and what it accepts.
type Options struct {
	Store, ProfileDir, Keeper string        // see stores.Location
	CACert                    string        // PEM file of root certificates to trust in addition to the system's
	Timeout                   time.Duration // of one request to a server
	MinTTL                    time.Duration // a token that expires sooner is refreshed
	ExpectIssuer              string        // the only authorization server to accept; "": any
	ExpectAudience            string        // that a credential from another host may request
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
	Hidden  *redact.Redactor    // gets each secret, to redact it in logs and errors
	Step    *cistep.Step        // who this CI job is; nil: not requested
	Headers extraheader.Headers // added to each request to the origin of an MCP server
	Dirs    paths.Dirs
	Log     *slog.Logger

	// Clients returns the function that returns guarded clients: always the same, so
	// that all share connections and certificates.
	Clients func() (func(url string) *http.Client, error)
}

// WithHeaders returns an opener whose requests to MCP servers have headers, as they are
// typed; see extraheader.Read.
func (o Opener) WithHeaders(ctx context.Context, typed, sources []string) (Opener, error) {
	var err error
	o.Headers, err = extraheader.Read(ctx, typed, sources, o.reader())
	return o, err
}

// WithoutTerminal returns an opener that never prompts at the terminal.
func (o Opener) WithoutTerminal() Opener {
	o.Streams.TTY = func() (*os.File, error) { return nil, errors.New("another program is using the terminal") }
	return o
}

// Servers returns the function that returns clients for MCP servers. They add the
// user's headers to requests to the server's origin.
func (o Opener) Servers() (func(server string) *http.Client, error) {
	guarded, err := o.Clients()
	if err != nil {
		return nil, err
	}
	return func(server string) *http.Client {
		client := *guarded(server)
		client.Transport = o.Headers.Around(client.Transport, server)
		return &client
	}, nil
}

// Transport returns a RoundTripper for an MCP server: guarded, and without a timeout,
// because a tool may take long. The server uses Streamable HTTP, or the transport of
// the mode.
func (o Opener) Transport(server, mode string) (*httpsse.Transport, error) {
	m, err := httpsse.ParseMode(cmp.Or(mode, string(httpsse.Auto)))
	if err != nil {
		return nil, exit.Usagef("--transport %w", err)
	}
	client, err := o.Servers()
	if err != nil {
		return nil, err
	}
	return &httpsse.Transport{Base: client(server).Transport, Server: server, Mode: m}, nil
}
