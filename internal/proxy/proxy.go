// Package proxy lets an MCP client that knows nothing about OAuth reach a server that
// requires a token: as a program that the client starts, or as a URL on this machine. It
// must not know where credentials are stored, or which flow signs in: it shows the prompts.
//
// [Stdio] uses newline-delimited JSON-RPC on one side and Streamable HTTP on the other.
// [HTTP] is a reverse proxy to the one server. Both forward messages unchanged, in either
// protocol: the sessions of 2025-11-25 and before, and the stateless requests of
// 2026-07-28. For the transport of 2024-11-05, use a Transport that translates, such as
// httpsse.Transport. The [mcplogin.Session] adds the token, refreshes it when due, and
// repeats a request once that was answered with 401.
//
//	err := proxy.Stdio{Upstream: proxy.Upstream{Session: s, Server: url}}.Run(ctx, os.Stdin, os.Stdout)
//
// # Security
//
// The token goes to the server's own origin and nowhere else: no redirect is followed, and
// an Authorization header of the client is not forwarded. HTTP serves clients that know its
// token, under a loopback name, and no other web page; see [HTTP]. Only [SignIn] asks the
// user, in the client, and it shows neither a device code nor an address that the guard
// rejects.
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

// Upstream is the server behind a proxy.
type Upstream struct {
	// Session provides the token. Required.
	Session *mcplogin.Session
	// Server is the MCP server's URL. Required.
	Server string
	// Transport reaches the server; nil means that of oauth.Guard. It should not limit the
	// wait for a response, because a tool may take long.
	Transport http.RoundTripper
	// Explain explains to the client's user why a request could not be forwarded; nil means
	// the error's own text.
	Explain func(error) string
	// SignIn lets the client's user sign in; nil means that a request that requires a
	// sign-in fails with an error that says so.
	SignIn *SignIn
	// Tools says which tools clients may use; nil means all.
	Tools *toolfilter.Filter
	// Log receives the events of the proxy, but no message; nil means silence.
	Log *slog.Logger
}

// errRejected is a 401 that a new token did not fix.
var errRejected = errors.New("the server rejects the token")

func (u Upstream) transport() http.RoundTripper {
	if u.Transport == nil {
		return oauth.Guard{Server: u.Server}.Client().Transport
	}
	return u.Transport
}

// authorized returns the transport that filters what clients send and adds the token.
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

// refusal returns why the server rejects a request, if this program must handle that; nil
// if the response is for the client.
func (u Upstream) refusal(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return errRejected
	case code == http.StatusForbidden:
		bare := *resp
		bare.Body = http.NoBody // the response may still be forwarded
		err := u.Session.Authorize(resp.Request.Context(), resp.Request, &bare)
		if scope, ok := errors.AsType[*mcplogin.InsufficientScopeError](err); ok {
			return scope
		}
	case code < 200:
		// The one such status of a final response is 101: the connection would become a pipe,
		// which nobody asked for.
		return fmt.Errorf("the server answers with %s", status(resp))
	case code >= 300 && code < 400:
		// The token is for this server alone, and a redirected POST would lose its body.
		return fmt.Errorf("the server redirects (%s), which is not followed", status(resp))
	}
	return nil
}

// status returns a response's status without the server's own text.
func status(resp *http.Response) string {
	return fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
}
