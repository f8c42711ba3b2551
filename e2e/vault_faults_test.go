//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// flakyProxy is a proxy in front of Vault that loses requests and responses, delays
// them, and repeats requests at once or later.
type flakyProxy struct {
	to      string
	repeats bool           // repeats some requests later, too
	pending sync.WaitGroup // the delayed requests
}

func (p *flakyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	send := func() (int, []byte) { return p.forward(r, body) }
	switch rand.N(12) {
	case 0: // the request is lost
		panic(http.ErrAbortHandler)
	case 1: // the response is lost
		send()
		panic(http.ErrAbortHandler)
	case 2: // the request arrives twice, and the client sees the second response
		send()
	case 3: // a copy arrives later
		if p.repeats {
			p.pending.Go(func() {
				time.Sleep(rand.N(500 * time.Millisecond))
				send()
			})
		}
	case 4:
		time.Sleep(rand.N(300 * time.Millisecond))
	case 5:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	status, response := send()
	if rand.N(12) == 0 {
		time.Sleep(rand.N(300 * time.Millisecond))
	}
	w.WriteHeader(status)
	w.Write(response)
}

// forward uses a separate context: Vault completes a request even if the client
// disconnects.
func (p *flakyProxy) forward(r *http.Request, body []byte) (int, []byte) {
	req, err := http.NewRequest(r.Method, p.to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return http.StatusBadGateway, nil
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return http.StatusBadGateway, nil
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(resp.Body)
	if err != nil {
		return http.StatusBadGateway, nil
	}
	return resp.StatusCode, response
}

// lineLog is a record to which several processes append under the lock, and the
// reported results.
type lineLog struct {
	mu      sync.Mutex
	outcome map[string]error
}

func (l *lineLog) append(ctx context.Context, s secrets.Store, line string) error {
	err := appendUnderLock(ctx, s, line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outcome == nil {
		l.outcome = make(map[string]error)
	}
	l.outcome[line] = err
	return err
}

// written counts the lines whose append succeeded.
func (l *lineLog) written() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.outcome {
		if err == nil {
			n++
		}
	}
	return n
}

func appendUnderLock(ctx context.Context, s secrets.Store, line string) error {
	unlock, err := s.Lock(ctx, "lines")
	if err != nil {
		return err
	}
	defer unlock()
	data, v, err := s.Get(ctx, "lines")
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, "lines", append(data, line...), v)
	return err
}

// check fails unless the record has exactly the lines whose append succeeded, and at
// least least of them. Only temporary errors are allowed; a line with such an error may
// be in the record or not.
func (l *lineLog) check(t *testing.T, s secrets.Store, least int) {
	t.Helper()
	data, _, err := s.Get(t.Context(), "lines")
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]int)
	for line := range strings.Lines(string(data)) {
		there[line]++
	}
	written := 0
	for line, err := range l.outcome {
		switch n := there[line]; {
		case err == nil && n != 1, n > 1:
			t.Errorf("%q (%v) is in the record %d times", line, err, n)
		case err == nil:
			written++
		case !errors.Is(err, secrets.ErrTemporary) && !strings.Contains(err.Error(), "sealed"):
			t.Errorf("%q = %v, want nil or ErrTemporary", line, err)
		}
	}
	t.Logf("%d of %d lines written", written, len(l.outcome))
	if written < least {
		t.Errorf("only %d of %d lines were written", written, len(l.outcome))
	}
}

// fastRetryStore returns a store whose client has a short retry delay.
func (v *vaultServer) fastRetryStore(t *testing.T) *vault.Store {
	c := v.client(t, v.root)
	c.SetMinRetryWait(10 * time.Millisecond)
	c.SetMaxRetryWait(50 * time.Millisecond)
	return v.store(t, vault.Config{Client: c, Lease: 10 * time.Second})
}

// TestVaultBehindFlakyProxy: writers that append under the lock through a faulty
// network lose no line whose append succeeded.
func TestVaultBehindFlakyProxy(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	proxy := &flakyProxy{to: v.addr, repeats: true}
	server := httptest.NewServer(proxy)
	defer server.Close()
	through := &vaultServer{addr: server.URL, root: v.root}

	mustPut(t, v.store(t, vault.Config{}), "lines", "", secrets.Absent)
	var l lineLog
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s := through.fastRetryStore(t)
			for j := range 7 {
				l.append(t.Context(), s, fmt.Sprintf("%d.%d\n", i, j))
			}
		})
	}
	wg.Wait()
	proxy.pending.Wait()
	l.check(t, v.store(t, vault.Config{}), len(l.outcome)/2)
}

// TestVaultBehindFlakyProxyCreates: a record that is created after the deletion of
// another one stays, even if requests of the deletion are delayed or repeated.
func TestVaultBehindFlakyProxyCreates(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	proxy := &flakyProxy{to: v.addr}
	server := httptest.NewServer(proxy)
	defer server.Close()
	through := &vaultServer{addr: server.URL, root: v.root}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := through.fastRetryStore(t)
			name := fmt.Sprint("n", i)
			for j := range 10 {
				want := fmt.Sprint(j)
				version, err := s.Put(t.Context(), name, []byte(want), secrets.Any)
				if err != nil && !errors.Is(err, secrets.ErrTemporary) {
					t.Errorf("Put = %v", err)
				}
				data, _, getErr := v.store(t, vault.Config{}).Get(t.Context(), name)
				if err == nil && (getErr != nil || string(data) != want) {
					t.Errorf("after Put %s: Get = %q, %v", want, data, getErr)
				}
				if err != nil {
					continue
				}
				err = s.Delete(t.Context(), name, version)
				_, _, getErr = v.store(t, vault.Config{}).Get(t.Context(), name)
				if err == nil && !errors.Is(getErr, secrets.ErrNotFound) {
					t.Errorf("after Delete: Get = %v, want ErrNotFound", getErr)
				}
			}
		})
	}
	wg.Wait()
}

// persistentVault is a Vault with its data on disk, which can be restarted.
type persistentVault struct {
	*vaultServer
	config string
	key    string // the unseal key
	stop   func()
}

func startPersistentVault(t *testing.T) *persistentVault {
	t.Helper()
	dir := t.TempDir()
	port := freePorts(t)
	v := &persistentVault{
		vaultServer: &vaultServer{addr: fmt.Sprintf("http://127.0.0.1:%d", port)},
		config:      filepath.Join(dir, "config.hcl"),
	}
	config := fmt.Sprintf(`
storage "raft" {
  path = %q
  node_id = "one"
  performance_multiplier = 1
}
listener "tcp" {
  address = "127.0.0.1:%d"
  cluster_address = "127.0.0.1:%d"
  tls_disable = true
}
api_addr = "http://127.0.0.1:%[2]d"
cluster_addr = "https://127.0.0.1:%[3]d"
disable_mlock = true
`, dir, port, port+1)
	if err := os.WriteFile(v.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	v.stop = runVault(t, "server", "-config="+v.config)
	ctx, cancel := context.WithTimeout(t.Context(), await.Limit)
	defer cancel()
	c := v.client(t, "")
	c.SetMaxRetries(1000)
	response, err := c.Sys().InitWithContext(ctx, &api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	if err != nil {
		t.Fatalf("init: %v", err)
	}
	v.root, v.key = response.RootToken, response.Keys[0]
	v.unseal(t)
	v.write(t, "sys/mounts/secret", map[string]any{"type": "kv", "options": map[string]any{"version": "2"}})
	v.await(t)
	return v
}

// unseal unseals the Vault.
func (v *persistentVault) unseal(t *testing.T) {
	t.Helper()
	c := v.client(t, "")
	c.SetMaxRetries(100)
	if _, err := c.Sys().UnsealWithContext(t.Context(), v.key); err != nil {
		t.Fatalf("unseal: %v", err)
	}
}

// TestVaultRestarts: Vault is killed while processes append under the lock. It is
// sealed after the restart, until it is unsealed. No line is lost, and all processes
// continue.
func TestVaultRestarts(t *testing.T) {
	t.Parallel()
	v := startPersistentVault(t)
	s := v.store(t, vault.Config{})
	mustPut(t, s, "lines", "", secrets.Absent)
	var l lineLog
	var wg sync.WaitGroup
	var isRestarted atomic.Bool
	const writers, each = 4, 10 // successful appends after the restart
	for i := range writers {
		wg.Go(func() {
			s := v.fastRetryStore(t)
			for j, after := 0, 0; after < each; j++ {
				restarted := isRestarted.Load()
				switch err := l.append(t.Context(), s, fmt.Sprintf("%d.%d\n", i, j)); {
				case err == nil && restarted:
					after++
				case err != nil:
					time.Sleep(200 * time.Millisecond) // do not flood the log while Vault is down
				}
			}
		})
	}
	await.True(t, "some lines are written", func() bool { return l.written() >= writers })
	v.stop()
	v.stop = runVault(t, "server", "-config="+v.config)
	v.awaitSealed(t)
	if _, _, err := v.fastRetryStore(t).Get(t.Context(), "lines"); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("Get from a sealed vault = %v, want ErrUnavailable", err)
	}
	v.unseal(t)
	v.await(t)
	isRestarted.Store(true)
	wg.Wait()
	l.check(t, s, writers*each)
}

func (v *persistentVault) awaitSealed(t *testing.T) {
	t.Helper()
	c := v.client(t, "")
	c.SetMaxRetries(100)
	status, err := c.Sys().SealStatusWithContext(t.Context())
	if err != nil || !status.Sealed {
		t.Fatalf("seal status = %+v, %v, want sealed", status, err)
	}
}
