//go:build e2e

package e2e

import (
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKilledWhileRefreshing kills the program at random times during a refresh, which
// writes the record twice: before the request, and with the result. The server does not
// rotate refresh tokens here, so that every round can continue with the last one.
func TestKilledWhileRefreshing(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1, "rotate": false})
	h := newHome(t)
	h.login(o, "box")
	h.checkKilledRefreshes(t, o, 250)
	if n := countFiles(t, h.dir); n > 20 {
		t.Errorf("the home has %d files", n)
	}
}

// checkKilledRefreshes kills refreshes at random times. After each, the store must have
// the old or the new token.
func (h *home) checkKilledRefreshes(t *testing.T, o *oidc, rounds int) {
	t.Helper()
	var timer killTimer
	killed, kept := 0, 0
	for range rounds {
		old := h.token("box")
		before := len(o.observed().Tokens)
		if timer.killAtRandom(h.start("refresh", "box")) {
			killed++
		}
		now := h.token("box") // opens the store without waiting for the lock of the killed process
		if now == old {
			kept++
		} else if !slices.Contains(o.observed().Tokens[before:], now) {
			t.Fatal("the store holds neither the old nor the new token")
		}
	}
	t.Logf("%d of %d refreshes were killed, %d kept the old token", killed, rounds, kept)
	if killed < rounds/4 || kept == 0 || kept == rounds {
		t.Error("the kills did not hit both before and after the save, so the test proves little")
	}
}

// TestKilledWhileRotating does the same with refresh tokens that work once. One loss
// cannot be prevented: a response that was never stored. It must be reported as "login
// required", and a sign-in must fix it.
func TestKilledWhileRotating(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.login(o, "box")
	var timer killTimer

	lost := 0
	const rounds = 80
	for range rounds {
		timer.killAtRandom(h.start("refresh", "box"))
		if !slices.Contains(o.observed().Tokens, h.token("box")) {
			t.Fatal("the store has a token that was never issued")
		}
		switch r := h.run("refresh", "box"); {
		case r.code == 0:
		case r.code == 4 && strings.Contains(r.stderr, "mcp-login login box"):
			lost++
			h.login(o, "box")
		default:
			t.Fatalf("exit code %d after a kill\n%s", r.code, r.stderr)
		}
	}
	t.Logf("%d of %d kills hit between the server's rotation and the save", lost, rounds)
}

// TestKilledAtFirstUse kills the first command of a home, which creates the store and
// its key.
func TestKilledAtFirstUse(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	begin := time.Now()
	r, _ := newHome(t).startLogin(o, "box")
	whole := time.Since(begin)
	r.killAfter(0)

	for range 60 {
		h := newHome(t)
		h.start("login", "box", o.mcp()).killAfter(rand.N(whole * 5 / 4))
		h.want(0, "list")
		h.want(4, "token", "box")
	}
	h := newHome(t)
	h.start("login", "box", o.mcp()).killAfter(whole / 2)
	h.login(o, "box")
	h.token("box")
}

// killTimer kills within a limit that adapts to the machine, so that about half of the
// kills hit a running program.
type killTimer struct{ limit time.Duration }

// killAtRandom kills at a random time and reports whether the program was still
// running.
func (k *killTimer) killAtRandom(r *running) bool {
	k.limit = max(k.limit, 5*time.Millisecond)
	inTime := r.killAfter(rand.N(k.limit))
	if inTime {
		k.limit = k.limit * 12 / 11
	} else {
		k.limit = k.limit * 11 / 12
	}
	return inTime
}

func countFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return n
}
