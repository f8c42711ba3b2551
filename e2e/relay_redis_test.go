//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/await"
)

// startRedisTLS starts a real Redis that accepts only TLS, with a certificate of the
// authority, and returns its URL.
func startRedisTLS(t *testing.T, ca *authority) string {
	t.Helper()
	_, cert, key := ca.issue("redis")
	port := strconv.Itoa(freePorts(t))
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", "0", "--tls-port", port, "--save", "", "--dir", t.TempDir(),
		"--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca.file, "--tls-auth-clients", "no")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it runs until the test ends
		_ = cmd.Wait()
	})
	await.True(t, "Redis answers over TLS", func() bool {
		return exec.Command("redis-cli", "--tls", "--cacert", ca.file, "-p", port, "ping").Run() == nil
	})
	return "rediss://127.0.0.1:" + port
}

// TestRelayRedisTLS signs in through a relay whose Redis has a certificate of a private
// authority, and checks what a relay without --ca-cert reports.
func TestRelayRedisTLS(t *testing.T) {
	t.Parallel()
	s, mcp := workersServer(t)
	ca, h, r := newAuthority(t), newHome(t), newRelayBalancer(t)
	key := filepath.Join(h.dir, "sessions-key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	shared := []string{"--sessions", startRedisTLS(t, ca), "--sessions-key-from", "file:" + key}
	untrusting := r.add(h, shared...)
	if isReady(t, r) {
		t.Error("a relay that does not trust its Redis reports that it is ready")
	}
	untrusting.stderr.await(t, regexp.MustCompile(`cannot reach the database of the sessions.*signed by an authority that this machine does not trust.*--ca-cert`))
	stopReplica(untrusting)
	r.remove(0)

	replica := r.add(h, append(shared, "--ca-cert", ca.file)...)
	await.True(t, "the relay is ready", func() bool { return isReady(t, r) })
	run := h.start("login", "box", mcp, "--flow", "relay", "--relay", r.url, "--relay-token-from", "file:"+filepath.Join(h.dir, "relay-token"))
	p := newWebUser(t)
	s.signInPages(p, p.followRelay(run.stderr.await(t, relayLink)), true)
	run.wait(0)
	stopReplica(replica)
}

// isReady reports whether a relay is ready to serve.
func isReady(t *testing.T, r *relayBalancer) bool {
	t.Helper()
	resp, err := http.Get(r.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // only the status matters
	return resp.StatusCode == http.StatusNoContent
}
