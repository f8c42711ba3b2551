//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// waitingClients is the number of clients that wait at once.
const waitingClients = 10_000

// BenchmarkRelayWaiting has 10,000 clients wait at a relay, each with a separate
// connection and address. It measures the time from a browser's callback to the
// client's response, and the resources of the relay.
func BenchmarkRelayWaiting(b *testing.B) {
	b.Run("memory", func(b *testing.B) { startLoadedRelay(b, nil).measure(b) })
	b.Run("redis", func(b *testing.B) {
		key := filepath.Join(b.TempDir(), "key")
		if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
			b.Fatal(err)
		}
		startLoadedRelay(b, nil, "--sessions", startRedis(b), "--sessions-key-from", "file:"+key).measure(b)
	})
	b.Run("tls", func(b *testing.B) { startLoadedRelay(b, newAuthority(b)).measure(b) })
}

// loadedRelay is a relay with waiting clients.
type loadedRelay struct {
	b       testing.TB
	url     string
	metrics string
	roots   *x509.CertPool
	waiting []*waitingClient
	cancel  context.CancelFunc
	waiters sync.WaitGroup
}

type waitingClient struct {
	relay     *loadedRelay
	address   string
	http      *http.Client
	state     string
	responded chan time.Time
	ID        string
	Secret    string
	Complete  string `json:"verification_uri_complete"`
}

func startLoadedRelay(b *testing.B, ca *authority, flags ...string) *loadedRelay {
	b.Helper()
	port := freePorts(b)
	r := &loadedRelay{b: b, url: fmt.Sprintf("http://127.0.0.1:%d", port), metrics: fmt.Sprintf("127.0.0.1:%d", port+1)}
	if ca != nil {
		_, cert, key := ca.issue("relay")
		r.url, flags = strings.Replace(r.url, "http:", "https:", 1), append(flags, "--tls-cert", cert, "--tls-key", key)
		r.roots = x509.NewCertPool()
		r.roots.AddCert(ca.cert)
	}
	run := newHome(b).start(append([]string{"relay", "--public", "--base-url", r.url, "--listen", fmt.Sprintf("127.0.0.1:%d", port),
		"--metrics-listen", r.metrics, "--trusted-proxy", "127.0.0.1", "--session-lifetime", "1h"}, flags...)...)
	run.stderr.await(b, regexp.MustCompile(`listening on`))
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(b.Context())
	b.Cleanup(func() {
		r.cancel()
		r.waiters.Wait()
		_ = run.cmd.Process.Kill() // it runs until the test ends
		run.result()
	})
	r.connectClients(ctx)
	return r
}

// connectClients opens the sessions, a few at once, and starts their clients.
func (r *loadedRelay) connectClients(ctx context.Context) {
	r.b.Helper()
	const atOnce = 50
	slots, mu := make(chan struct{}, atOnce), sync.Mutex{}
	var opening sync.WaitGroup
	for i := range waitingClients {
		slots <- struct{}{}
		opening.Go(func() {
			defer func() { <-slots }()
			w := &waitingClient{
				relay: r, address: fmt.Sprintf("10.%d.%d.1", i/250, i%250), state: fmt.Sprintf("state-of-client-%08d", i), responded: make(chan time.Time, 1),
				http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.roots}}},
			}
			if err := w.open(ctx); err != nil {
				r.b.Error(err)
				return
			}
			mu.Lock()
			r.waiting = append(r.waiting, w)
			mu.Unlock()
			r.waiters.Go(func() { w.wait(ctx) })
		})
	}
	opening.Wait()
	await.True(r.b, "all clients wait", func() bool { return r.metric("mcp_login_relay_clients_waiting") >= waitingClients*99/100 }) // a few poll again
}

func (w *waitingClient) send(ctx context.Context, method, to string, body io.Reader, v any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Forwarded-For", w.address)
	req.Header.Set("Authorization", "Bearer "+w.Secret)
	resp, err := w.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if v == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(v)
}

func (w *waitingClient) open(ctx context.Context) error {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"a-client"}, "redirect_uri": {w.relay.url + "/callback"}, "state": {w.state},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}, "scope": {"openid offline_access tools"}, "resource": {"https://mcp.example.com/mcp"},
	}
	body, _ := json.Marshal(map[string]string{
		"authorization_url": "https://as.example.com/authorize?" + q.Encode(), "server": "https://mcp.example.com/mcp", "issuer": "https://as.example.com", "label": "build-machine",
	})
	status, err := w.send(ctx, "POST", w.relay.url+"/v1/sessions", strings.NewReader(string(body)), w)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("open a session: HTTP %d", status)
	}
	return err
}

// wait polls until the response arrives.
func (w *waitingClient) wait(ctx context.Context) {
	for ctx.Err() == nil {
		if status, err := w.send(ctx, "GET", w.relay.url+"/v1/sessions/"+w.ID, nil, nil); err == nil && status == http.StatusOK {
			w.responded <- time.Now()
			return
		}
	}
}

// approve does what the browser does, up to the callback, and returns the time to the
// client's response.
func (w *waitingClient) approve(ctx context.Context) time.Duration {
	b := w.relay.b
	b.Helper()
	browser := &http.Client{Transport: w.http.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(method, to string, want int, cookies []*http.Cookie) *http.Response {
		req, err := http.NewRequestWithContext(ctx, method, to, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", w.address)
		for _, k := range cookies {
			req.AddCookie(k)
		}
		resp, err := browser.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			b.Fatalf("%s returns HTTP %d, want %d", method, resp.StatusCode, want)
		}
		return resp
	}
	start := send("POST", w.Complete, http.StatusOK, nil)
	began := time.Now()
	send("GET", w.relay.url+"/callback?code=a-code&state="+w.state, http.StatusSeeOther, start.Cookies())
	took := await.Receive(b, "the client's answer", w.responded).Sub(began)
	if status, err := w.send(ctx, "DELETE", w.relay.url+"/v1/sessions/"+w.ID+"?outcome=ok", nil, nil); err != nil || status != http.StatusNoContent {
		b.Fatalf("end the session: %d %v", status, err)
	}
	return took
}

func (r *loadedRelay) measure(b *testing.B) {
	cpu, began := r.metric("process_cpu_seconds_total"), time.Now()
	time.Sleep(30 * time.Second) // each client polls again in this time
	busy := (r.metric("process_cpu_seconds_total") - cpu) / time.Since(began).Seconds()
	memory := r.metric("process_resident_memory_bytes") / (1 << 20)
	var took []time.Duration
	for b.Loop() {
		if len(took) == len(r.waiting) {
			b.Fatal("all clients have their response: use a shorter -benchtime")
		}
		took = append(took, r.waiting[len(took)].approve(b.Context()))
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op") // the time of a whole sign-in is meaningless
	b.ReportMetric(memory, "MiB")
	b.ReportMetric(memory*1024/waitingClients, "KiB/client")
	b.ReportMetric(100*busy, "cpu-%")
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// metric returns the value of one of the relay's metrics.
func (r *loadedRelay) metric(name string) float64 {
	r.b.Helper()
	resp, err := http.Get("http://" + r.metrics + "/metrics")
	if err != nil {
		r.b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				r.b.Fatal(err)
			}
			return n
		}
	}
	r.b.Fatalf("the relay does not export %s", name)
	return 0
}
