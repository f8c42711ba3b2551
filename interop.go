package mcplogin

import (
	"context"
	"fmt"
	"net/http"
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
		return fmt.Errorf("%s: the server rejected the request: %s", s.cfg.Profile, resp.Status)
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
