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

// maxMessage limits one message of the MCP server, unless the request's context
// has a limit: see oauth.WithMessageLimit.
const maxMessage = 64 << 20

// Transport returns a RoundTripper that authorizes requests to the MCP
// server's own origin and leaves all others as they are. A 401 is answered by
// one refresh and one retry, if the body can be sent again (GetBody), and a 403
// that wants more scopes by the token of a newer login, if there is one. Where the
// token is bound to a key, each request carries a proof (RFC 9449 §7), and one
// that is refused for want of a nonce is sent once more (§9). Nil base means the
// transport of Config.HTTP, with messages of up to 64 MiB. It never prompts:
// where only a person can help, the error is ErrLoginRequired.
func (s *Session) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = network{s}
	}
	return &transport{session: s, base: base}
}

// network is the transport by which a session reaches its MCP server.
type network struct{ session *Session }

func (n network) RoundTrip(req *http.Request) (*http.Response, error) {
	server, err := n.session.server(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	base := n.session.cfg.HTTP(server).Transport
	if base == nil {
		base = http.DefaultTransport // Config.HTTP chose it
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
	resp, err := t.sendProved(req, c)
	if err == nil && repeatable(req) {
		if newer, ok := t.session.newer(req.Context(), c, resp); ok {
			resp.Body.Close()
			return t.sendAgain(req, newer)
		}
	}
	if err != nil || !rejectsToken(resp) || !repeatable(req) {
		return resp, err
	}
	if _, nonce := oauth.DPoPNonce(resp); nonce {
		return resp, nil // the token is not at fault, and a third proof would be no better
	}
	renewed, err := t.session.renew(req.Context(), c.Token.Access)
	if errors.Is(err, ErrLoginRequired) {
		resp.Body.Close()
		return nil, err
	}
	if err != nil {
		t.session.log.Warn("the server rejected the token, and it could not be refreshed", "error", err)
		return resp, nil // the server's own 401 says more than a failed refresh
	}
	resp.Body.Close()
	return t.sendAgain(req, &renewed)
}

// rejectsToken reports whether the server does not accept the token: 401, or another
// refusal that says so (RFC 6750 §3.1).
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
	again, err := repeated(req)
	if err != nil {
		return nil, err
	}
	return t.send(again, c)
}

// newer returns the stored credential where the server wants more scopes and
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

// sendProved sends req, and once more where it was refused for want of a nonce
// (RFC 9449 §9): a server that has a new nonce each time cannot be satisfied.
func (t *transport) sendProved(req *http.Request, c *Credential) (*http.Response, error) {
	resp, err := t.send(req, c)
	if err != nil || !repeatable(req) {
		return resp, err
	}
	if _, wanted := oauth.DPoPNonce(resp); !wanted {
		return resp, nil
	}
	resp.Body.Close()
	again, err := repeated(req)
	if err != nil {
		return nil, err
	}
	return t.send(again, c)
}

// send sends a copy of req with the credential's token; a RoundTripper must not
// change what it was given. It notes the nonce for the next proof.
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

// repeated returns req with a body that was not read yet.
func repeated(req *http.Request) (*http.Request, error) {
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

// closeBody is for a request that is not sent: a RoundTripper closes the body,
// errors included.
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

// repeatable reports whether req can be sent again.
func repeatable(req *http.Request) bool {
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

// known returns the credential without asking the store each time.
func (s *Session) known(ctx context.Context) (Credential, error) {
	if c := s.cached.Load(); c != nil {
		return c.Credential, nil
	}
	return s.Credential(ctx)
}
