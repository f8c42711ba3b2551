//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// loginWithDueToken signs in with an access token that is due for a refresh. The next
// token is valid for an hour.
func (h *home) loginWithDueToken(o *oidc, name string) {
	h.t.Helper()
	o.set(settings{"accessTTL": 1})
	h.login(o, name)
	time.Sleep(1200 * time.Millisecond) // real time: the token expires after one second
	o.set(settings{"accessTTL": 3600})
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.loginWithDueToken(o, "box")
	for range 3 {
		before := h.token("box")
		h.want(0, "refresh", "box")
		if after := h.token("box"); after == before || !o.active(after) {
			t.Error("the refresh returned no new valid token")
		}
	}
	s := o.observed()
	if s.Refreshes != 4 || s.RefusedRefreshes != 0 { // one was due, three were requested
		t.Errorf("%d refreshes and %d refused, want 4 and 0", s.Refreshes, s.RefusedRefreshes)
	}
	if len(s.Tokens) != len(slices.Compact(slices.Sorted(slices.Values(s.Tokens)))) {
		t.Error("the server did not rotate, so the test proves nothing")
	}
}

func TestServerErrorKeepsCredential(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.loginWithDueToken(o, "box")
	o.set(settings{"unavailable": 1})
	h.want(3, "refresh", "box")
	if token := h.token("box"); !o.active(token) {
		t.Error("the token is not active after the server error")
	}
}

// TestLostResponse loses the response of a refresh: the server has rotated the refresh
// token, and the new tokens never arrive.
func TestLostResponse(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.loginWithDueToken(o, "box")
	o.set(settings{"drops": 1})
	h.want(3, "refresh", "box")
	r := h.want(4, "refresh", "box")
	if !strings.Contains(r.stderr, "mcp-login login box") {
		t.Errorf("the hint is missing:\n%s", r.stderr)
	}
	h.login(o, "box")
	if token := h.token("box"); !o.active(token) {
		t.Error("the token is not active after a new sign-in")
	}
}
