//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

// loginWithExpiredToken signs in with an access token that has expired, so that every
// caller needs a refresh.
func (h *home) loginWithExpiredToken(o *oidc, name string) {
	h.t.Helper()
	h.loginWithDueToken(o, name)
	time.Sleep(2 * time.Second) // real time: the token expires after one second
}

// runConcurrently starts n processes of one home that run env, and returns their
// results. It calls onStarted after all of them have started.
func runConcurrently(h *home, n int, onStarted func()) []result {
	all := make([]*running, n)
	for i := range all {
		all[i] = h.start("env", "box")
	}
	onStarted()
	results := make([]result, len(all))
	for i, r := range all {
		results[i] = r.result()
	}
	return results
}

var tokenVariable = regexp.MustCompile(`MCP_BOX_TOKEN='?([^'\s;]+)`)

// checkSameToken checks that all processes got the same valid token, and that the
// refresh token was used once. Exactly failures processes may have failed, with exit
// code 3.
func checkSameToken(t *testing.T, o *oidc, results []result, failures int) {
	t.Helper()
	failed := 0
	results = slices.DeleteFunc(results, func(r result) bool {
		if r.code != 3 || r.stdout != "(exit 3)\n" {
			return false
		}
		failed++
		return true
	})
	if failed != failures {
		t.Errorf("%d processes failed with exit code 3, want %d", failed, failures)
	}
	for i, r := range results {
		if r.code != 0 || r.stdout != results[0].stdout {
			t.Errorf("process %d: exit code %d, or another output\n%s", i, r.code, r.stderr)
		}
	}
	if found := tokenVariable.FindStringSubmatch(results[0].stdout); found == nil || !o.active(found[1]) {
		t.Error("the token is not active")
	}
	checkNoTokenReused(t, o)
}

// TestFileStormRefreshesOnce: the server delays its response until all processes wait.
func TestFileStormRefreshesOnce(t *testing.T) {
	o := startOIDC(t, settings{"interval": 1, "refreshDelay": 2000})
	h := newHome(t)
	h.loginWithExpiredToken(o, "box")
	began := time.Now()
	results := runConcurrently(h, 200, func() {})
	t.Logf("200 processes took %v", time.Since(began).Round(time.Millisecond))
	checkSameToken(t, o, results, 0)
}

// TestFileStormAfterKilledHolder: the process that refreshes is killed while all others
// wait for it.
func TestFileStormAfterKilledHolder(t *testing.T) {
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.loginWithExpiredToken(o, "box")
	o.set(settings{"stalls": 1, "stallTime": 600_000})
	holder := h.start("env", "box", "--timeout", "10m")
	awaitStalled(t, o)
	results := runConcurrently(h, 200, func() {
		if !holder.killAfter(0) {
			t.Error("the holder exited before it was killed")
		}
	})
	checkSameToken(t, o, results, 0)
}

// TestFileStormAfterServerError: the first process gets a temporary error. The next one
// refreshes, and all others get its result.
func TestFileStormAfterServerError(t *testing.T) {
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.loginWithExpiredToken(o, "box")
	o.set(settings{"unavailable": 1})
	checkSameToken(t, o, runConcurrently(h, 200, func() {}), 1)
	if token := h.token("box"); !o.active(token) {
		t.Error("the token is not active after the server error")
	}
}
