//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// expire leaves the credential with a token that is due and lets the next one
// live for an hour.
func (h *home) loginExpired(o *oidc, name string) {
	h.t.Helper()
	o.set(knobs{"accessTTL": 1})
	h.login(o, name)
	o.set(knobs{"accessTTL": 3600})
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, knobs{"interval": 1})
	h := newHome(t)
	h.loginExpired(o, "box")
	for range 3 {
		before := h.token("box")
		h.want(0, "refresh", "box")
		if after := h.token("box"); after == before || !o.active(after) {
			t.Error("the refresh gave no new token")
		}
	}
	s := o.seen()
	if s.Refreshes != 4 || s.RefusedRefreshes != 0 { // one was due, three were asked for
		t.Errorf("%d refreshes and %d refused, want 4 and 0", s.Refreshes, s.RefusedRefreshes)
	}
	if len(s.Tokens) != len(slices.Compact(slices.Sorted(slices.Values(s.Tokens)))) {
		t.Error("the server did not rotate: the test proves nothing")
	}
}

func TestFiftyProcessesRefreshOnce(t *testing.T) {
	o := startOIDC(t, knobs{"interval": 1, "refreshDelay": 300})
	h := newHome(t)
	h.loginExpired(o, "box")

	const processes = 50
	results := make([]result, processes)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = h.run("token", "box") })
	}
	wg.Wait()

	for i, r := range results {
		if r.code != 0 || r.stdout != results[0].stdout {
			t.Errorf("process %d: exit code %d, or another token\n%s", i, r.code, r.stderr)
		}
	}
	if s := o.seen(); s.Refreshes != 1 || s.RefusedRefreshes != 0 {
		t.Errorf("%d refreshes reached the server and %d were refused, want 1 and 0", s.Refreshes, s.RefusedRefreshes)
	}
	if token := strings.TrimSpace(results[0].stdout); !o.active(token) {
		t.Error("the token that all got is not active")
	}
}

func TestServerTroubleKeepsTheCredential(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, knobs{"interval": 1})
	h := newHome(t)
	h.loginExpired(o, "box")
	o.set(knobs{"unavailable": 1})
	h.want(3, "refresh", "box")
	if token := h.token("box"); !o.active(token) {
		t.Error("after the trouble the token is not good")
	}
}

// TestLostAnswer loses the one answer that cannot be had again: the server has
// rotated, and the new tokens never arrive.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, knobs{"interval": 1})
	h := newHome(t)
	h.loginExpired(o, "box")
	o.set(knobs{"drops": 1})
	h.want(3, "refresh", "box")
	r := h.want(4, "refresh", "box")
	if !strings.Contains(r.stderr, "mcp-login login box") {
		t.Errorf("the way out is not named:\n%s", r.stderr)
	}
	h.login(o, "box")
	if token := h.token("box"); !o.active(token) {
		t.Error("after a new login the token is not good")
	}
}
