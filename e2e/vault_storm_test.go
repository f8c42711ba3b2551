//go:build e2e

package e2e

import (
	"cmp"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// vaultHome returns an account on a separate host, which shares only the Vault with
// others.
func vaultHome(t testing.TB, addr, token string) *home {
	h := newHome(t)
	h.env = append(h.env, "VAULT_ADDR="+addr, "VAULT_TOKEN="+token)
	h.flags = []string{"--store", "vault:secret/mcp-login"}
	return h
}

// newVaultHosts signs in on one host, with an access token that is due at once, and
// returns four hosts that share the credential.
func newVaultHosts(t testing.TB, v *vaultServer, o *oidc) []*home {
	t.Helper()
	recordTokens(v.root)
	var all []*home
	for range 4 {
		all = append(all, vaultHome(t, v.addr, v.root))
	}
	all[0].loginWithDueToken(o, "box")
	return all
}

// runOnHosts requests the token in many processes at once, on all hosts.
func runOnHosts(hosts []*home, processes int) []result {
	results := make([]result, processes)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = hosts[i%len(hosts)].run("token", "box") })
	}
	wg.Wait()
	return results
}

// checkOneRefresh checks that all processes got the same valid token, and that the
// refresh token was used once.
func checkOneRefresh(t *testing.T, o *oidc, results []result) {
	t.Helper()
	for i, r := range results {
		if r.code != 0 || r.stdout != results[0].stdout {
			t.Errorf("process %d: exit code %d, or a different token\n%s", i, r.code, r.stderr)
		}
	}
	if !o.active(strings.TrimSpace(results[0].stdout)) {
		t.Error("the token is not active")
	}
	checkNoTokenReused(t, o)
}

func checkNoTokenReused(t *testing.T, o *oidc) {
	t.Helper()
	if s := o.observed(); s.Refreshes != 1 || s.RefusedRefreshes != 0 {
		t.Errorf("%d refreshes reached the server and %d were refused, want 1 and 0", s.Refreshes, s.RefusedRefreshes)
	}
}

// TestVaultHundredProcessesRefreshOnce: four hosts, one Vault, one refresh. The server
// delays its response until all processes wait.
func TestVaultHundredProcessesRefreshOnce(t *testing.T) {
	v := startVault(t)
	o := startOIDC(t, settings{"interval": 1, "refreshDelay": 2000})
	all := newVaultHosts(t, v, o)
	began := time.Now()
	results := runOnHosts(all, 100)
	t.Logf("100 processes took %v", time.Since(began).Round(time.Millisecond))
	checkOneRefresh(t, o, results)
}

// TestVaultStormAfterKilledHolder: the process that refreshes is killed before the
// server has done anything. The others wait until its lease expires, then one of them
// refreshes.
func TestVaultStormAfterKilledHolder(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	o := startOIDC(t, settings{"interval": 1})
	all := newVaultHosts(t, v, o)
	o.set(settings{"stalls": 1, "stallTime": 60_000})
	holder := all[0].start("token", "box")
	awaitStalled(t, o)
	holder.killAfter(0)
	checkOneRefresh(t, o, runOnHosts(all[1:], 30))
}

// TestVaultStormAfterStoppedHolder: the process that refreshes is stopped for longer
// than its lease. When it continues, it finds the token of another process, and
// overwrites nothing.
func TestVaultStormAfterStoppedHolder(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	o := startOIDC(t, settings{"interval": 1})
	all := newVaultHosts(t, v, o)
	o.set(settings{"stalls": 1, "stallTime": 2_000})
	holder := all[0].start("token", "box")
	awaitStalled(t, o)
	signal(t, holder, syscall.SIGSTOP)
	results := runOnHosts(all[1:], 30)
	signal(t, holder, syscall.SIGCONT)
	<-holder.stderr.closed
	if code := holder.cmd.ProcessState.ExitCode(); code != 0 && code != 3 {
		t.Errorf("the holder that was stopped: exit code %d, want 0 or 3\n%s", code, holder.stderr.String())
	}
	checkOneRefresh(t, o, append(results, all[0].run("token", "box")))
}

func signal(t *testing.T, r *running, s syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func awaitStalled(t *testing.T, o *oidc) {
	t.Helper()
	await.True(t, "a refresh has reached the server", func() bool { return o.observed().Stalled == 1 })
}

// TestVaultStormDuringRestart: Vault is killed while many processes use it, and
// restarted. A process gets a token or an exit code for the fault (3: try again, 7:
// sealed), and nothing is lost.
func TestVaultStormDuringRestart(t *testing.T) {
	t.Parallel()
	v := startPersistentVault(t)
	o := startOIDC(t, settings{"interval": 1})
	all := newVaultHosts(t, v.vaultServer, o)
	o.set(settings{"refreshDelay": 1500})
	requested := len(o.observed().Resources)
	var wg sync.WaitGroup
	var results []result
	wg.Go(func() { results = runOnHosts(all, 40) })
	await.True(t, "a refresh is in flight", func() bool { return len(o.observed().Resources) > requested })
	v.stop()
	v.stop = runVault(t, "server", "-config="+v.config)
	v.unseal(t)
	v.await(t)
	wg.Wait()
	checkExitCodes(t, results, 3, 7)
	checkOneRefresh(t, o, runOnHosts(all, 8))
}

// checkExitCodes checks that every process exited with 0 or one of codes.
func checkExitCodes(t *testing.T, results []result, codes ...int) {
	t.Helper()
	counts := make(map[int]int)
	for i, r := range results {
		counts[r.code]++
		if r.code != 0 && !slices.Contains(codes, r.code) {
			t.Errorf("process %d: exit code %d, want 0 or one of %d\n%s", i, r.code, codes, r.stderr)
		}
	}
	t.Logf("exit codes: %v", counts)
}

// TestVaultStormBehindFlakyProxy: requests and responses between every host and Vault
// are lost, delayed and repeated.
func TestVaultStormBehindFlakyProxy(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	o := startOIDC(t, settings{"interval": 1})
	all := newVaultHosts(t, v, o)
	proxy := &flakyProxy{to: v.addr, repeats: true}
	server := httptest.NewServer(proxy)
	defer server.Close()
	var far []*home
	for range 3 {
		h := vaultHome(t, server.URL, v.root)
		h.env = append(h.env, "VAULT_MAX_RETRIES=4")
		far = append(far, h)
	}
	results := runOnHosts(far, 30)
	proxy.pending.Wait()
	checkExitCodes(t, results, 3)
	slices.SortFunc(results, func(a, b result) int { return cmp.Compare(a.code, b.code) })
	checkOneRefresh(t, o, append(results[:1], runOnHosts(all, 8)...))
}
