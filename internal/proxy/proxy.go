// Package proxy lets an MCP client that knows nothing of OAuth reach a server
// that wants a token: as a program that it starts, or as a URL on this machine. It
// must not know where credentials are stored or how a person signs in.
//
// [Stdio] speaks newline-delimited JSON-RPC on one side and Streamable HTTP on
// the other. [HTTP] is a reverse proxy to the one server. Both pass messages
// on as they are, in either protocol: the sessions of 2025-11-25 and before,
// and the stateless requests of 2026-07-28. For the transport of
// 2024-11-05 give a Transport that translates, such as httpsse.Transport. The [mcplogin.Session] adds the token, refreshes it
// when due and repeats a request once that was answered by 401.
//
//	err := proxy.Stdio{Upstream: proxy.Upstream{Session: s, Server: url}}.Run(ctx, os.Stdin, os.Stdout)
//
// # Security
//
// The token goes to the server's own origin and nowhere else: no redirect is
// followed, and an Authorization header of the client stays here. HTTP serves
// who knows its token, under a loopback name and to no other web page; see
// [HTTP]. Only [SignIn] asks a person, in
// the client, and shows neither a device code nor an address that the guard rejects.
package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/toolfilter"
	"github.com/mcp-login/mcp-login/oauth"
)

// Upstream is the server that stands behind a proxy.
type Upstream struct {
	// Session gives the token. Required.
	Session *mcplogin.Session
	// Server is the MCP server's URL. Required.
	Server string
	// Transport reaches it; nil means that of oauth.Guard. It should not limit
	// the wait for an answer: a tool may take its time.
	Transport http.RoundTripper
	// Explain puts into words, for the client's user, why a request could not
	// be passed on; nil means the error's own text.
	Explain func(error) string
	// SignIn lets the client's user sign in; nil: a request that needs a sign-in
	// fails, and says so.
	SignIn *SignIn
	// Tools says which tools clients may use; nil: all.
	Tools *toolfilter.Filter
	// Log hears of what goes on; nil means silence. No message is logged.
	Log *slog.Logger
}

// errRejected is a 401 that a new token did not help against.
var errRejected = errors.New("the server rejects the token")

func (u Upstream) transport() http.RoundTripper {
	if u.Transport == nil {
		return oauth.Guard{Server: u.Server}.Client().Transport
	}
	return u.Transport
}

// authorized is the transport that adds the token to what clients may send.
func (u Upstream) authorized(base http.RoundTripper) http.RoundTripper {
	return u.Tools.Around(u.Session.Transport(base))
}

func (u Upstream) explain(err error) string {
	if u.Explain == nil {
		return err.Error()
	}
	return u.Explain(err)
}

func (u Upstream) log() *slog.Logger {
	if u.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return u.Log
}

// refusal returns why the server does not let a request pass, where that is
// for this program to deal with; nil if the answer is for the client.
func (u Upstream) refusal(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return errRejected
	case code == http.StatusForbidden:
		bare := *resp
		bare.Body = http.NoBody // the answer may still be passed on
		err := u.Session.Authorize(resp.Request.Context(), resp.Request, &bare)
		if scope, ok := errors.AsType[*mcplogin.InsufficientScopeError](err); ok {
			return scope
		}
	case code < 200:
		// The one that comes as an answer is 101: the connection would be a
		// pipe from here on, which nobody has asked for.
		return fmt.Errorf("the server answers with %s", status(resp))
	case code >= 300 && code < 400:
		// The token is for this server alone, and a POST that is redirected
		// would lose its body.
		return fmt.Errorf("the server redirects (%s), which is not followed", status(resp))
	}
	return nil
}

// status is an answer's status without the server's own words.
func status(resp *http.Response) string {
	return fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
}
