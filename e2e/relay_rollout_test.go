//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRelayRollout replaces both replicas, one after the other, while a client waits
// and its user is at the sign-in page. The code stays the same, and the sign-in
// succeeds.
func TestRelayRollout(t *testing.T) {
	t.Parallel()
	s, mcp := workersServer(t)
	h, r := newHome(t), newRelayBalancer(t)
	key := filepath.Join(h.dir, "sessions-key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	shared := []string{"--sessions", startRedis(t), "--sessions-key-from", "file:" + key}
	first, second := r.add(h, shared...), r.add(h, shared...)
	run := h.start("login", "box", mcp, "--flow", "relay", "--relay", r.url, "--relay-token-from", "file:"+filepath.Join(h.dir, "relay-token"))
	link := run.stderr.await(t, relayLink)
	third := r.add(h, shared...)
	stopReplica(first)
	p := newWebUser(t)
	page := p.followRelay(link)
	fourth := r.add(h, shared...)
	stopReplica(second)
	s.signInPages(p, page, true)
	if got := run.wait(0).stderr; strings.Count(got, link) != 1 || len(relayLink.FindAllString(got, -1)) != 1 {
		t.Errorf("another code was shown:\n%s", got)
	}
	stopReplica(third)
	stopReplica(fourth)
}
