package authcode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	relayOpenTimeout = 15 * time.Second
	relayPollTimeout = 40 * time.Second // longer than a relay's long poll
	relayEndTimeout  = 3 * time.Second
	minRelayInterval = time.Second // between requests
	maxRelayInterval = 15 * time.Second
	maxRelayLifetime = time.Hour
	maxRelayResponse = 64 << 10
)

// errSessionLost means that the relay no longer has the session, although it has
// not expired.
var errSessionLost = errors.New("the relay has lost the session")

// relayClient is an HTTP client of one relay.
type relayClient struct {
	http *http.Client
	base string
}

// relaySession is the relay's response to a new session.
type relaySession struct {
	ID                      string `json:"id"`
	Secret                  string `json:"secret"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	RedirectURI             string `json:"redirect_uri"`
	ExpiresIn               int    `json:"expires_in"`
	Interval                int    `json:"interval"`

	expiry   time.Time
	interval time.Duration
}

// relayError is an error response of the relay.
type relayError struct {
	status int
	code   string
}

func (e *relayError) Error() string {
	switch {
	case e.code == "invalid_client_token":
		return "the relay does not accept the client token"
	case e.code == "issuer_not_allowed":
		return "the relay does not allow this authorization server"
	case e.code == "":
		return fmt.Sprintf("the relay answered HTTP %d", e.status)
	}
	return fmt.Sprintf("the relay answered HTTP %d, %s", e.status, e.code)
}

// open opens a session for an attempt.
func (c relayClient) open(ctx context.Context, token string, a *attempt, server, label string) (s relaySession, err error) {
	ctx, cancel := context.WithTimeout(ctx, relayOpenTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]string{
		"authorization_url": a.url, "server": server, "issuer": a.server.Issuer, "label": label,
	})
	if err != nil {
		return s, err
	}
	if _, err = c.do(ctx, http.MethodPost, "/v1/sessions", token, body, &s); err != nil {
		return s, err
	}
	return s, s.check(c.base, a.redirect)
}

// check validates the relay's response and sets expiry and interval. Displayed
// URLs must be at the relay's own origin.
func (s *relaySession) check(base, redirect string) error {
	lifetime := time.Duration(s.ExpiresIn) * time.Second
	s.interval = max(minRelayInterval, min(time.Duration(s.Interval)*time.Second, maxRelayInterval))
	s.expiry = time.Now().Add(min(lifetime, maxRelayLifetime))
	relay, err := url.Parse(base)
	if err != nil {
		return err
	}
	for _, raw := range []string{s.VerificationURI, s.VerificationURIComplete} {
		u, err := oauth.CheckURL(raw)
		if err != nil || !netcheck.SameOrigin(u, relay) {
			return errors.New("the relay's link points to another host")
		}
	}
	unusable := func(secret string) bool { return !isCode(secret) || len(secret) > 256 }
	switch {
	case s.RedirectURI != redirect:
		return fmt.Errorf("the relay has the redirect URI %s", oauth.Sanitize(s.RedirectURI, 200))
	case unusable(s.ID) || unusable(s.Secret) || s.ExpiresIn <= 0 || s.ExpiresIn > int(maxRelayLifetime/time.Second):
		return errors.New("the relay's answer is incomplete")
	case s.UserCode == "" || len(s.UserCode) > 16 || !ascii.Only(s.UserCode, isUserCode):
		return errors.New("the relay's code cannot be shown")
	}
	return nil
}

// isUserCode reports whether r can be in a relay's code, which is typed by hand.
func isUserCode(r rune) bool { return ascii.Upper(r) || ascii.Digit(r) || r == '-' }

// await returns the query of the authorization response. It polls until ctx
// ends, with exponential backoff while the relay is unreachable.
func (c relayClient) await(ctx context.Context, s relaySession) (string, error) {
	for backoff := s.interval; ; {
		var got struct{ Query string }
		begun := time.Now()
		status, err := c.poll(ctx, s, &got)
		refusal, refused := errors.AsType[*relayError](err)
		switch {
		case status == http.StatusOK && err == nil:
			return got.Query, nil
		case refused && status == http.StatusGone:
			return "", errSessionLost
		case refused && status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout && status != http.StatusNotFound:
			return "", refusal
		case status == http.StatusNoContent:
			backoff = s.interval
			if time.Since(begun) >= backoff {
				continue
			}
		default:
			backoff = min(2*backoff, maxRelayInterval)
		}
		if err := sleep(ctx, backoff); err != nil {
			return "", err
		}
	}
}

func (c relayClient) poll(ctx context.Context, s relaySession, v any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, relayPollTimeout)
	defer cancel()
	return c.do(ctx, http.MethodGet, "/v1/sessions/"+url.PathEscape(s.ID), s.Secret, nil, v)
}

// end reports the outcome to the relay, for its page. It is best effort: the
// session expires by itself.
func (c relayClient) end(ctx context.Context, s relaySession, outcome string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), relayEndTimeout)
	defer cancel()
	_, _ = c.do(ctx, http.MethodDelete, "/v1/sessions/"+url.PathEscape(s.ID)+"?outcome="+outcome, s.Secret, nil, nil)
}

// do sends a request and reads its response into v. Status is 0 without a
// response.
func (c relayClient) do(ctx context.Context, method, path, bearer string, body []byte, v any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, c.unreachable(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRelayResponse))
	if err != nil {
		return 0, c.unreachable(err)
	}
	if resp.StatusCode >= 300 {
		var e struct{ Error string }
		_ = json.Unmarshal(text, &e) // a response of another server has no code
		return resp.StatusCode, &relayError{resp.StatusCode, oauth.Sanitize(e.Error, maxErrorCode)}
	}
	if v == nil || resp.StatusCode == http.StatusNoContent {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(text, v); err != nil {
		return 0, errors.New("the relay's answer is not JSON")
	}
	return resp.StatusCode, nil
}

// unreachable returns the error of a failed request without the names of system
// calls.
func (c relayClient) unreachable(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("cannot reach %s: %w", c.base, err)
}

// sleep waits until d has passed or ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
