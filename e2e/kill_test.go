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

// TestKilledWhileRefreshing kills the program at random instants of a refresh,
// which writes twice: that it begins, and what came of it. The server does not
// rotate here, so that every round can go on from the last.
func TestKilledWhileRefreshing(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1, "rotate": false})
	h := newHome(t)
	h.login(o, "box")
	h.checkKilledRefreshes(t, o, 250)
	if n := countFiles(t, h.dir); n > 20 {
		t.Errorf("%d files are left in the home", n)
	}
}

// killRefreshes kills refreshes at random instants, and wants the old or the new
// token after each.
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
		now := h.token("box") // opens the store, waits for no dead holder's lock
		if now == old {
			kept++
		} else if !slices.Contains(o.observed().Tokens[before:], now) {
			t.Fatal("the store holds neither the old nor the new token")
		}
	}
	t.Logf("%d of %d refreshes were killed, %d kept the old token", killed, rounds, kept)
	if killed < rounds/4 || kept == 0 || kept == rounds {
		t.Error("the kills did not fall on both sides of the save: the test proves little")
	}
}

// TestKilledWhileRotating does the same where a refresh token works once. The
// one loss that cannot be prevented, an answer that never was stored, must be
// told as "login required" and healed by a login.
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
			t.Fatal("the store holds a token that never was")
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
	t.Logf("%d of %d kills fell between the server's rotation and the save", lost, rounds)
}

// TestKilledAtFirstUse kills the very first command of a home, which makes the
// store and its key.
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

// fuse is the time within which the next kill falls. It follows the machine's
// speed so that about half of the kills come in time.
type killTimer struct{ limit time.Duration }

// kill kills at a random instant and reports whether the program still ran.
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
