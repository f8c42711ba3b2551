package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/mcp-login/mcp-login/oauth"
)

// TokenSource returns the session as a golang.org/x/oauth2 token source. Its
// Token method refreshes when due and never prompts. ctx ends every exchange
// that it starts. The error is always nil; it is there for the MCP Go SDK's
// auth.OAuthHandler.
func (s *Session) TokenSource(ctx context.Context) (oauth2.TokenSource, error) {
	return tokenSource{ctx: ctx, session: s}, nil
}

// tokenSource holds a context because oauth2.TokenSource takes none.
type tokenSource struct {
	ctx     context.Context
	session *Session
}

func (ts tokenSource) Token() (*oauth2.Token, error) {
	c, err := ts.session.current(ts.ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.Authorization(); err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: c.Token.Access, TokenType: c.Token.Type, Expiry: c.Token.Expiry}, nil
}

// Authorize makes the next Token differ after the MCP server answered 401, by
// one refresh. With TokenSource it satisfies the MCP Go SDK's
// auth.OAuthHandler. It never prompts: where only a person can help it returns
// ErrLoginRequired, and for a 403 with insufficient_scope an
// *InsufficientScopeError. It closes the response's body.
func (s *Session) Authorize(ctx context.Context, req *http.Request, resp *http.Response) error {
	resp.Body.Close()
	if err := s.insufficientScope(resp); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%s: the server refuses the request: %s", s.cfg.Profile, resp.Status)
	}
	_, err := s.renew(ctx, bearer(req))
	return err
}

// bearer returns the token that a request carried.
func bearer(req *http.Request) string {
	_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return token
}

// insufficientScope returns the scopes that a 403 asks for (RFC 6750 §3.1), as
// an error; nil for every other answer.
func (s *Session) insufficientScope(resp *http.Response) error {
	if resp.StatusCode != http.StatusForbidden {
		return nil
	}
	for _, c := range oauth.ParseChallenges(resp.Header) {
		if c.Params["error"] == "insufficient_scope" {
			return &InsufficientScopeError{Profile: s.cfg.Profile, Scopes: c.Scopes()}
		}
	}
	return nil
}

// Transport returns a RoundTripper that authorizes requests to the MCP
// server's own origin and leaves all others as they are. A 401 is answered by
// one refresh and one retry, if the body can be sent again (GetBody). Where the
// token is bound to a key, each request carries a proof (RFC 9449 §7). Nil base
// means http.DefaultTransport. It never prompts: where only a person can help,
// the error is ErrLoginRequired.
func (s *Session) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{session: s, base: base}
}

type transport struct {
	session *Session
	base    http.RoundTripper
	nonce   atomic.Pointer[string] // the server's last DPoP nonce; nil: none yet
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	own, err := t.session.owns(req)
	if err == nil && !own {
		return t.base.RoundTrip(req)
	}
	var c *Credential
	if err == nil {
		c, err = t.session.current(req.Context())
	}
	if err != nil {
		if req.Body != nil {
			req.Body.Close() // a RoundTripper must, errors included
		}
		return nil, err
	}
	resp, err := t.send(req, req.Body, c)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !repeatable(req) {
		return resp, err
	}
	renewed, err := t.session.renew(req.Context(), c.Token.Access)
	if errors.Is(err, ErrLoginRequired) {
		resp.Body.Close()
		return nil, err
	}
	if err != nil {
		t.session.log.Warn("the server rejected the token, and it could not be replaced", "error", err)
		return resp, nil // the server's own 401 says more than a failed refresh
	}
	resp.Body.Close()
	return t.resend(req, &renewed)
}

// send sends a copy of req with the credential's token; a RoundTripper must not
// change what it was given. A refusal for want of a nonce is answered once (RFC
// 9449 §9).
func (t *transport) send(req *http.Request, body io.ReadCloser, c *Credential) (*http.Response, error) {
	nonce := t.nonce.Load()
	out := req.Clone(req.Context())
	out.Body = body
	if err := c.App.Authorize(out, c.Token, value(nonce)); err != nil {
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	next, wanted := oauth.DPoPNonce(resp)
	if next != "" {
		t.nonce.Store(&next)
	}
	if !wanted || next == value(nonce) || !repeatable(req) {
		return resp, nil
	}
	resp.Body.Close()
	return t.resend(req, c)
}

// resend sends req with its body once more.
func (t *transport) resend(req *http.Request, c *Credential) (*http.Response, error) {
	body := req.Body
	if req.GetBody != nil {
		var err error
		if body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return t.send(req, body, c)
}

func value(nonce *string) string {
	if nonce == nil {
		return ""
	}
	return *nonce
}

// repeatable reports whether req can be sent again.
func repeatable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// owns reports whether a request goes to the MCP server's own origin.
func (s *Session) owns(req *http.Request) (bool, error) {
	server := s.cfg.Server
	if server == "" {
		c, err := s.known(req.Context())
		if err != nil {
			return false, err
		}
		server = c.Server
	}
	return sameOrigin(server, req.URL), nil
}

// known returns the credential without asking the store each time.
func (s *Session) known(ctx context.Context) (Credential, error) {
	if c := s.cached.Load(); c != nil {
		return *c, nil
	}
	return s.Credential(ctx)
}

// sameOrigin compares scheme, host and port (RFC 6454 §5).
func sameOrigin(server string, u *url.URL) bool {
	own, err := url.Parse(server)
	return err == nil && strings.EqualFold(own.Scheme, u.Scheme) && strings.EqualFold(own.Hostname(), u.Hostname()) && port(own) == port(u)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "http") {
		return "80"
	}
	return "443"
}
