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
// Token method refreshes when due and never prompts. ctx limits its requests.
// The error is always nil: the MCP Go SDK's auth.OAuthHandler requires this
// signature.
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

// Authorize refreshes the token after the MCP server responded 401, so that the
// next Token is a new one. With TokenSource it satisfies the MCP Go SDK's
// auth.OAuthHandler. It never prompts: if the user must sign in it returns
// ErrLoginRequired, and for a 403 with insufficient_scope an
// *InsufficientScopeError. It closes the response body.
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

// insufficientScope returns an error with the scopes that a 403 requires (RFC
// 6750 §3.1); nil for every other response.
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
