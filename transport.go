package mcplogin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

// maxMessage limits one message of the MCP server in bytes, unless the
// request's context has a limit: see oauth.WithMessageLimit.
const maxMessage = 64 << 20

// Transport returns a RoundTripper that authorizes requests to the MCP server's
// own origin and leaves all others as they are. After a 401 it refreshes the token
// and retries once, if the body can be sent again (GetBody). After a 403 that
// requires more scopes it retries with the token of a newer login, if one exists.
// For a token that is bound to a key, each request carries a proof (RFC 9449 §7)
// and is retried once if the server requires a nonce (§9). Nil base means the
// transport of Config.HTTP, with messages of up to 64 MiB. It never prompts: if
// the user must sign in, the error is ErrLoginRequired.
func (s *Session) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = network{s}
	}
	return &transport{session: s, base: base}
}

// network is the base transport of Config.HTTP for the session's MCP server.
type network struct{ session *Session }

func (n network) RoundTrip(req *http.Request) (*http.Response, error) {
	server, err := n.session.server(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	base := n.session.cfg.HTTP(server).Transport
	if base == nil {
		base = http.DefaultTransport // as for any http.Client with a nil Transport
	}
	return base.RoundTrip(req)
}

type transport struct {
	session *Session
	base    http.RoundTripper
	nonce   atomic.Pointer[string] // the server's last DPoP nonce; nil: none yet
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.WithContext(oauth.WithMessageLimit(req.Context(), maxMessage))
	own, err := t.session.owns(req)
	if err == nil && !own {
		return t.base.RoundTrip(req)
	}
	var c *Credential
	if err == nil {
		c, err = t.session.current(req.Context())
	}
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.sendWithNonce(req, c)
	if err == nil && isReplayable(req) {
		if newer, ok := t.session.newer(req.Context(), c, resp); ok {
			resp.Body.Close()
			return t.sendAgain(req, newer)
		}
	}
	if err != nil || !rejectsToken(resp) || !isReplayable(req) {
		return resp, err
	}
	if _, nonce := oauth.DPoPNonce(resp); nonce {
		return resp, nil // the token is not the problem, and a third proof would not help
	}
	renewed, err := t.session.renew(req.Context(), c.Token.Access)
	if errors.Is(err, ErrLoginRequired) {
		resp.Body.Close()
		return nil, err
	}
	if err != nil {
		t.session.log.Warn("the server rejected the token, and it could not be refreshed", "error", err)
		return resp, nil // the server's 401 says more than the error of the refresh
	}
	resp.Body.Close()
	return t.sendAgain(req, &renewed)
}

// rejectsToken reports whether the server rejected the token: by 401, or by 400 or
// 403 with invalid_token (RFC 6750 §3.1).
func rejectsToken(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return true
	case http.StatusBadRequest, http.StatusForbidden:
		return slices.ContainsFunc(oauth.ParseChallenges(resp.Header), func(c oauth.Challenge) bool { return c.Params["error"] == oauth.CodeInvalidToken })
	}
	return false
}

// sendAgain sends req once more with another token.
func (t *transport) sendAgain(req *http.Request, c *Credential) (*http.Response, error) {
	again, err := rewound(req)
	if err != nil {
		return nil, err
	}
	return t.send(again, c)
}

// newer returns the stored credential if the server requires more scopes and
// another process has signed in since: its token may have them.
func (s *Session) newer(ctx context.Context, c *Credential, resp *http.Response) (*Credential, bool) {
	if s.insufficientScope(resp) == nil {
		return nil, false
	}
	now, err := s.source.accepted(ctx)
	if err != nil || now.Token.Access == c.Token.Access || !now.Valid(0) {
		return nil, false
	}
	s.cache(now)
	return &now, true
}

// sendWithNonce sends req and retries it once if the server requires a DPoP nonce
// (RFC 9449 §9). It does not retry again: a server could demand a new nonce each
// time.
func (t *transport) sendWithNonce(req *http.Request, c *Credential) (*http.Response, error) {
	resp, err := t.send(req, c)
	if err != nil || !isReplayable(req) {
		return resp, err
	}
	if _, wanted := oauth.DPoPNonce(resp); !wanted {
		return resp, nil
	}
	resp.Body.Close()
	again, err := rewound(req)
	if err != nil {
		return nil, err
	}
	return t.send(again, c)
}

// send sends a copy of req with the credential's token, because a RoundTripper
// must not modify the request. It remembers the nonce for the next proof.
func (t *transport) send(req *http.Request, c *Credential) (*http.Response, error) {
	out := req.Clone(req.Context())
	if err := c.App.Authorize(out, c.Token, value(t.nonce.Load())); err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if next, _ := oauth.DPoPNonce(resp); next != "" {
		t.nonce.Store(&next)
	}
	return resp, nil
}

// rewound returns req with an unread body.
func rewound(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := *req
	again.Body = body
	return &again, nil
}

// closeBody closes the body of a request that is not sent, as a RoundTripper
// must even on errors.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

func value(nonce *string) string {
	if nonce == nil {
		return ""
	}
	return *nonce
}

// isReplayable reports whether req can be sent again.
func isReplayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// owns reports whether a request goes to the MCP server's own origin.
func (s *Session) owns(req *http.Request) (bool, error) {
	server, err := s.server(req.Context())
	if err != nil {
		return false, err
	}
	own, err := url.Parse(server)
	return err == nil && netcheck.SameOrigin(own, req.URL), nil
}

// server returns the MCP server's URL.
func (s *Session) server(ctx context.Context) (string, error) {
	if s.cfg.Server != "" {
		return s.cfg.Server, nil
	}
	c, err := s.known(ctx)
	return c.Server, err
}

// known returns the cached credential, or reads the stored one.
func (s *Session) known(ctx context.Context) (Credential, error) {
	if c := s.cached.Load(); c != nil {
		return c.Credential, nil
	}
	return s.Credential(ctx)
}
