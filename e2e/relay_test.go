//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/mcp-login/mcp-login/internal/await"
)

// relayLink is the short link as the program prints it.
var relayLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/s/[A-Z]{4}-[A-Z]{4}`)

// relayBalancer is a load balancer for replicas of a relay: a request that one replica
// does not answer goes to the next.
type relayBalancer struct {
	t        *testing.T
	url      string
	mu       sync.Mutex
	replicas []string // addresses of replicas
	next     int
}

func newRelayBalancer(t *testing.T) *relayBalancer {
	t.Helper()
	r := &relayBalancer{t: t}
	front := httptest.NewServer(duplex(&httputil.ReverseProxy{
		Transport: r,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetXForwarded()
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", "replica", p.In.Host
		},
	}))
	t.Cleanup(front.Close)
	r.url = front.URL
	return r
}

// RoundTrip sends a request to the next replica that answers.
func (r *relayBalancer) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	r.mu.Lock()
	all := append(append([]string{}, r.replicas[r.next%len(r.replicas):]...), r.replicas[:r.next%len(r.replicas)]...)
	r.next++
	r.mu.Unlock()
	for _, at := range all {
		req.URL.Host = at
		if resp, err = http.DefaultTransport.RoundTrip(req); err == nil {
			return resp, nil
		}
	}
	return nil, err
}

// add starts a replica.
func (r *relayBalancer) add(h *home, flags ...string) *running {
	r.t.Helper()
	token := filepath.Join(h.dir, "relay-token")
	if err := os.WriteFile(token, []byte("token-of-the-team"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	args := append([]string{"relay", "--base-url", r.url, "--listen", "127.0.0.1:0", "--client-token-from", "file:" + token, "--trusted-proxy", "127.0.0.1"}, flags...)
	run := h.start(args...)
	text := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
	at := text.FindStringSubmatch(run.stderr.await(r.t, text))[1]
	r.mu.Lock()
	r.replicas = append(r.replicas, at)
	r.mu.Unlock()
	return run
}

// stopReplica stops a replica as a service manager does.
func stopReplica(replica *running) {
	replica.h.t.Helper()
	if err := replica.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		replica.h.t.Fatal(err)
	}
	replica.wait(0)
}

// remove removes a replica from the balancer.
func (r *relayBalancer) remove(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replicas = append(append([]string{}, r.replicas[:i]...), r.replicas[i+1:]...)
}

func (r *relayBalancer) login(h *home, o *oidc) (*running, string) {
	run := h.start("login", "box", o.mcp(), "--flow", "relay", "--relay", r.url, "--relay-token-from", "file:"+filepath.Join(h.dir, "relay-token"), "--force")
	return run, run.stderr.await(r.t, relayLink)
}

// newPhone starts a browser with a screen of 360 by 740 pixels.
func newPhone(t *testing.T) *chromium {
	c := startChromium(t)
	c.run(chromedp.EmulateViewport(360, 740))
	return c
}

// followRelay opens the short link and clicks its button, up to the consent page.
func (c *chromium) followRelay(link string) {
	c.t.Helper()
	c.run(chromedp.Navigate(link))
	if got := c.heading(); got != "Sign in on your terminal?" {
		c.t.Fatalf("the heading of the link's page is %q", got)
	}
	c.click("form button")
	c.waitFor(loginForm)
	for name, value := range map[string]string{"login": "somebody", "password": "any"} {
		c.evaluate(fmt.Sprintf(`document.querySelector("input[name=%s]").value = %q`, name, value))
	}
	c.click(loginForm + ` button[type=submit]`)
	c.waitFor(consentForm)
}

func (c *chromium) waitForHeading(want string) {
	c.t.Helper()
	await.True(c.t, "the heading is "+want, func() bool {
		got, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](`document.querySelector("main > h1")?.innerText ?? ""`))
		return err == nil && got == want
	})
}

// TestRelayLogin opens every page in a real browser.
func TestRelayLogin(t *testing.T) {
	t.Parallel()
	o, h, r := startOIDC(t, settings{}), newHome(t), newRelayBalancer(t)
	relay := r.add(h)
	run, link := r.login(h, o)
	c := newPhone(t)
	c.run(chromedp.Navigate(link))
	c.takeScreenshots("relay-start")
	c.run(chromedp.EmulateViewport(360, 740))
	c.followRelay(link)
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Signed in")
	c.takeScreenshots("relay-done")
	run.wait(0)
	if token := h.token("box"); !o.active(token) {
		t.Error("the server does not accept the token")
	}
	// A second sign-in uses the client that the first one registered.
	again, next := r.login(h, o)
	second := newPhone(t)
	second.followRelay(next)
	second.click(consentForm + ` button[type=submit]`)
	second.waitForHeading("Signed in")
	again.wait(0)
	if n := o.observed().Registrations; n != 1 {
		t.Errorf("%d registrations", n)
	}
	// The link does not work in a second browser.
	other := newPhone(t)
	other.run(chromedp.Navigate(link))
	other.waitForHeading("This link was already used")
	other.takeScreenshots("relay-used")
	stopReplica(relay)
}

func TestRelayDenied(t *testing.T) {
	t.Parallel()
	o, h, r := startOIDC(t, settings{}), newHome(t), newRelayBalancer(t)
	relay := r.add(h)
	run, link := r.login(h, o)
	c := newPhone(t)
	c.followRelay(link)
	c.click(`a[href$="/abort"]`)
	c.waitForHeading("Access was not granted")
	c.takeScreenshots("relay-denied")
	run.wait(5)
	stopReplica(relay)
}

// TestRelayTakeOver: after another browser has taken over the sign-in, the user must
// enter the code in the first one.
func TestRelayTakeOver(t *testing.T) {
	t.Parallel()
	o, h, r := startOIDC(t, settings{}), newHome(t), newRelayBalancer(t)
	relay := r.add(h)
	run, link := r.login(h, o)
	c := newPhone(t)
	c.followRelay(link)
	resp, err := http.PostForm(link, url.Values{"code": {link[len(link)-9:]}}) // another browser takes over
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Finish the sign-in here?")
	c.takeScreenshots("relay-code")
	c.evaluate(fmt.Sprintf(`document.querySelector("input[name=code]").value = %q; ""`, strings.ToLower(link[len(link)-9:])))
	c.click("form button")
	c.waitForHeading("Signed in")
	run.wait(0)
	stopReplica(relay)
}

// TestRelayRestarted: a relay with its sessions in memory is restarted while a client
// waits. The sign-in continues with a new code.
func TestRelayRestarted(t *testing.T) {
	t.Parallel()
	o, h, r := startOIDC(t, settings{}), newHome(t), newRelayBalancer(t)
	first := r.add(h)
	run, link := r.login(h, o)
	second := r.add(h)
	r.remove(0)
	stopReplica(first)
	var next string
	await.True(t, "a new code is shown", func() bool {
		for _, l := range relayLink.FindAllString(run.stderr.String(), -1) {
			if l != link {
				next = l
			}
		}
		return next != ""
	})
	c := newPhone(t)
	c.followRelay(next)
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Signed in")
	run.wait(0)
	stopReplica(second)
}

// startRedis starts a real Redis and returns its URL.
func startRedis(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it runs until the test ends
		_ = cmd.Wait()
	})
	await.True(t, "Redis listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "redis://127.0.0.1:" + port
}

// TestRelayReplicaKilled: two replicas share a real Redis, and one is killed between
// the approval and the client's request. Redis holds nothing that identifies a user or
// a server.
func TestRelayReplicaKilled(t *testing.T) {
	t.Parallel()
	o, h, r := startOIDC(t, settings{}), newHome(t), newRelayBalancer(t)
	redis := startRedis(t)
	key := filepath.Join(h.dir, "sessions-key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	shared := []string{"--sessions", redis, "--sessions-key-from", "file:" + key}
	first := r.add(h, shared...)
	run, link := r.login(h, o)
	second := r.add(h, shared...)
	c := newPhone(t)
	c.followRelay(link)

	// The pending request of the client is at the first replica, which stops responding
	// before the approval and is killed after it.
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.remove(0)
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Almost done")
	dump, err := exec.Command("sh", "-c", `for k in $(redis-cli -u "$1" keys '*'); do redis-cli -u "$1" --no-raw get "$k"; done`, "sh", redis).Output()
	if err != nil || len(dump) == 0 {
		t.Fatalf("read Redis: %v", err)
	}
	for _, secret := range []string{"authorization_url", o.url, link[len(link)-9:], "code="} {
		if strings.Contains(string(dump), secret) {
			t.Errorf("Redis holds %q in clear text", secret)
		}
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	run.wait(0)
	c.waitForHeading("Signed in")
	if token := h.token("box"); !o.active(token) {
		t.Error("the server does not accept the token")
	}
	stopReplica(second)
}
