package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

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
	t, err := ts.session.Token(ts.ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: t.Access, TokenType: t.Type, Expiry: t.Expiry}, nil
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
	_, err := s.replace(ctx, bearer(req))
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
			return &InsufficientScopeError{Profile: s.cfg.Profile, Scopes: strings.Fields(c.Params["scope"])}
		}
	}
	return nil
}

// Transport returns a RoundTripper that authorizes requests to the MCP
// server's own origin and leaves all others as they are. A 401 is answered by
// one refresh and one retry, if the body can be sent again (GetBody). Nil base
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
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.session.tokenFor(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close() // a RoundTripper must, errors included
		}
		return nil, err
	}
	if token.Access == "" {
		return t.base.RoundTrip(req)
	}
	resp, err := t.base.RoundTrip(authorized(req, token, req.Body))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	again, err := t.retry(req, token)
	switch {
	case errors.Is(err, ErrLoginRequired):
		resp.Body.Close()
		return nil, err
	case err != nil:
		t.session.log.Warn("the server rejected the token, and it could not be replaced", "error", err)
		return resp, nil // the server's own 401 says more than a failed refresh
	}
	resp.Body.Close()
	return t.base.RoundTrip(again)
}

// retry returns the request with another token than the rejected one.
func (t *transport) retry(req *http.Request, rejected oauth.Token) (*http.Request, error) {
	body := req.Body
	if body != nil && body != http.NoBody {
		if req.GetBody == nil {
			return nil, errors.New("the request's body cannot be sent again")
		}
		var err error
		if body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	token, err := t.session.replace(req.Context(), rejected.Access)
	if err != nil {
		return nil, err
	}
	return authorized(req, token, body), nil
}

// authorized returns a copy of req that carries the token; a RoundTripper must
// not change what it was given.
func authorized(req *http.Request, t oauth.Token, body io.ReadCloser) *http.Request {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", authorization(t))
	req.Body = body
	return req
}

// tokenFor returns the token for a request to the MCP server, and none for a
// request to any other origin.
func (s *Session) tokenFor(req *http.Request) (oauth.Token, error) {
	server := s.cfg.Server
	if server == "" {
		c, err := s.known(req.Context())
		if err != nil {
			return oauth.Token{}, err
		}
		server = c.Server
	}
	if !sameOrigin(server, req.URL) {
		return oauth.Token{}, nil
	}
	return s.Token(req.Context())
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
