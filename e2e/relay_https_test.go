//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/mcp-login/mcp-login/internal/await"
)

// tlsRelayLink is the short link of a relay with TLS.
var tlsRelayLink = regexp.MustCompile(`https://[a-z.]+:\d+/s/[A-Z]{4}-[A-Z]{4}`)

// relayHost is the public name of these relays. An HTTP proxy and a rule of Chromium
// resolve it to this machine.
const relayHost = "login.test"

// tlsRelay is a relay with TLS, with a user's machine that uses it.
type tlsRelay struct {
	h    *home
	ca   *authority
	run  *running
	url  string
	cert *x509.Certificate
	// roots are the certificates that the machine trusts in addition to the system's.
	roots string
}

// newTLSRelay prepares a relay at a port. Its flags select the certificates.
func newTLSRelay(t *testing.T, ca *authority, port int) *tlsRelay {
	t.Helper()
	r := &tlsRelay{h: newHome(t), ca: ca, url: fmt.Sprintf("https://%s:%d", relayHost, port), roots: ca.file}
	r.h.env = append(r.h.env, "HTTPS_PROXY="+connectProxy(t))
	if err := os.WriteFile(r.token(), []byte("token-of-the-team"), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *tlsRelay) token() string { return filepath.Join(r.h.dir, "relay-token") }

// address returns the address that the relay listens on.
func (r *tlsRelay) address() string {
	return strings.Replace(r.url, "https://"+relayHost, "127.0.0.1", 1)
}

func (r *tlsRelay) start(flags ...string) {
	r.h.t.Helper()
	r.run = r.h.start(append([]string{"relay", "--base-url", r.url, "--listen", r.address(), "--client-token-from", "file:" + r.token()}, flags...)...)
	r.run.stderr.await(r.h.t, regexp.MustCompile(`listening on`))
}

// startTLSRelay starts a relay with certificate files.
func startTLSRelay(t *testing.T, ca *authority, flags ...string) *tlsRelay {
	t.Helper()
	r := newTLSRelay(t, ca, freePorts(t))
	cert, certFile, keyFile := ca.issue("relay")
	r.cert = cert
	r.start(append([]string{"--tls-cert", certFile, "--tls-key", keyFile}, flags...)...)
	return r
}

func (r *tlsRelay) login(server string, flags ...string) (*running, string) {
	r.h.t.Helper()
	args := append([]string{"login", "box", server, "--ca-cert", r.roots, "--flow", "relay", "--relay", r.url, "--relay-token-from", "file:" + r.token()}, flags...)
	run := r.h.start(args...)
	return run, run.stderr.await(r.h.t, tlsRelayLink)
}

// newPhone starts a browser with a phone's screen that trusts the relay and the
// servers.
func (r *tlsRelay) newPhone(t *testing.T) *chromium {
	t.Helper()
	c := startChromium(t, trustKeysOf(append(r.ca.servers, r.cert)...), chromedp.Flag("host-resolver-rules", "MAP "+relayHost+" 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	c.run(chromedp.EmulateViewport(360, 740))
	return c
}

// answerForms completes the forms of the real servers of this folder.
func (c *chromium) answerForms(approve bool) {
	c.t.Helper()
	c.waitFor(`input[name=login]`)
	c.evaluate(`document.querySelector("input[name=login]").value = "somebody@example.com"; document.querySelector("input[name=password]").value = "any password"`)
	c.click(`form button`)
	c.waitFor(`input[name=accept]`)
	c.evaluate(fmt.Sprintf(`document.querySelector("input[name=accept]").value = %q`, map[bool]string{true: "yes", false: "no"}[approve]))
	c.click(`form button`)
}

// TestRelayAtRealServers signs in over HTTPS at real servers: approved, denied, and
// expired.
func TestRelayAtRealServers(t *testing.T) {
	t.Parallel()
	for _, s := range realServers {
		if s.relayFolder == "" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			base := startServerProgramWithEnv(t, ca.env(), s.relayFolder, s.relayFolder, "node", "server.mjs")
			t.Run("approved", func(t *testing.T) { s.checkRelayed(t, ca, base) })
			t.Run("denied", func(t *testing.T) { s.checkRelayDenied(t, ca, base) })
			t.Run("expired", func(t *testing.T) { s.checkRelayExpired(t, ca, base) })
		})
	}
}

func (s *realServer) checkRelayed(t *testing.T, ca *authority, base string) {
	r := startTLSRelay(t, ca)
	run, link := r.login(base + "/mcp")
	c := r.newPhone(t)
	c.run(chromedp.Navigate(link))
	c.waitForHeading("Sign in on your terminal?")
	c.takeScreenshots(s.relayFolder + "-start")
	c.run(chromedp.EmulateViewport(360, 740))
	c.click("form button")
	c.answerForms(true)
	c.waitForHeading("Signed in")
	run.wait(0)
	token := strings.TrimSpace(r.h.want(0, "token", "box", "--ca-cert", r.roots).stdout)
	recordTokens(token)
	if !acceptsTokenFrom(t, ca.client(), base+"/mcp", token) {
		t.Error("the MCP server rejects the token")
	}
	r.h.want(0, "refresh", "box", "--ca-cert", r.roots)
	stopReplica(r.run)
}

func (s *realServer) checkRelayDenied(t *testing.T, ca *authority, base string) {
	r := startTLSRelay(t, ca)
	run, link := r.login(base + "/mcp")
	c := r.newPhone(t)
	c.run(chromedp.Navigate(link))
	c.click("form button")
	c.answerForms(false)
	c.waitForHeading("Access was not granted")
	run.wait(5)
	r.h.want(4, "token", "box")
	stopReplica(r.run)
}

// checkRelayExpired checks a session that expires while the user is at the server's
// consent page.
func (s *realServer) checkRelayExpired(t *testing.T, ca *authority, base string) {
	r := startTLSRelay(t, ca, "--session-lifetime", "15s")
	run, link := r.login(base + "/mcp")
	c := r.newPhone(t)
	c.run(chromedp.Navigate(link))
	c.click("form button")
	c.waitFor(`input[name=login]`)
	run.wait(6)
	c.answerForms(true)
	c.waitForHeading("This sign-in is not waiting")
	c.takeScreenshots(s.relayFolder + "-late")
	c.run(chromedp.Navigate(link))
	c.waitForHeading("This link has expired")
	c.takeScreenshots(s.relayFolder + "-expired")
	stopReplica(r.run)
}

// TestRelayTLS checks what HTTPS adds, and signs in with the relay's client ID metadata
// document, without a registration.
func TestRelayTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	o := startOIDCWith(t, settings{}, ca.client(), append(ca.env(), "DOCUMENTS=yes")...)
	r := startTLSRelay(t, ca)
	run, link := r.login(o.mcp())
	c := r.newPhone(t)
	c.followRelay(link)
	c.checkCookie(r.url)
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Signed in")
	run.wait(0)
	if token := r.h.token("box"); !o.active(token) {
		t.Error("the server does not accept the token")
	}
	if s := o.observed(); s.Registrations != 0 || len(s.Documents) == 0 || s.Documents[0] != r.url+"/client.json" {
		t.Errorf("%d registrations, documents %q", s.Registrations, s.Documents)
	}
	r.h.want(0, "refresh", "box", "--ca-cert", r.roots)
	r.checkHeaders(t)
	r.checkRenewal(t)
	stopReplica(r.run)
}

// checkCookie checks the cookie that binds a sign-in to the browser.
func (c *chromium) checkCookie(relay string) {
	c.t.Helper()
	got, err := chromedp.Call(c.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{relay + "/callback"}})
	if err != nil {
		c.t.Fatal(err)
	}
	if len(got.Cookies) != 1 {
		c.t.Fatalf("%d cookies", len(got.Cookies))
	}
	k := got.Cookies[0]
	if !strings.HasPrefix(k.Name, "__Host-mcp-login-") || !k.Secure || !k.HTTPOnly || k.SameSite != network.CookieSameSiteLax || k.Path != "/" || k.Domain != relayHost {
		c.t.Errorf("cookie %+v", k)
	}
}

// client returns an HTTP client that can reach the relay.
func (r *tlsRelay) client() *http.Client {
	c := r.ca.client()
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", r.address())
	}
	return c
}

func (r *tlsRelay) checkHeaders(t *testing.T) {
	t.Helper()
	resp, err := r.client().Get(r.url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" || resp.ProtoMajor != 2 {
		t.Errorf("Strict-Transport-Security %q over %s", got, resp.Proto)
	}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", r.address(), old); err == nil {
		conn.Close()
		t.Error("it accepts TLS 1.1")
	}
	resp, err = http.Get("http://" + r.address())
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP returns %d", resp.StatusCode)
		}
	}
}

// checkRenewal replaces the certificate files; the next connection gets the new
// certificate.
func (r *tlsRelay) checkRenewal(t *testing.T) {
	t.Helper()
	next, certFile, keyFile := r.ca.issue("renewed")
	for from, to := range map[string]string{certFile: "relay.pem", keyFile: "relay-key.pem"} {
		if err := os.Rename(from, filepath.Join(r.ca.dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := r.client().Get(r.url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !resp.TLS.PeerCertificates[0].Equal(next) {
		t.Error("the relay still has its old certificate")
	}
}

// acme is a real ACME server that uses a DNS server of the test, which resolves all
// names to this machine.
type acme struct {
	directory, management string
	tlsPort               int
	stop                  func()
}

func startACME(t *testing.T, ca *authority) *acme {
	t.Helper()
	tools, err := provide("pebble")
	if err != nil {
		t.Fatal(err)
	}
	port, tlsPort, dns := freePorts(t), freePorts(t), fmt.Sprintf("127.0.0.1:%d", freePorts(t))
	_, certFile, keyFile := ca.issue("acme")
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": fmt.Sprintf("127.0.0.1:%d", port), "managementListenAddress": fmt.Sprintf("127.0.0.1:%d", port+1),
		"certificate": certFile, "privateKey": keyFile, "httpPort": tlsPort + 1, "tlsPort": tlsPort,
		"retryAfter": map[string]int{"authz": 1, "order": 1}, "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "of a test", "validityPeriod": 7776000}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(ca.dir, "acme.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	startTool(t, filepath.Join(tools, "pebble-challtestsrv"), "-dnsserver", dns, "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "",
		"-management", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "")
	a := &acme{
		directory: fmt.Sprintf("https://127.0.0.1:%d/dir", port), management: fmt.Sprintf("https://127.0.0.1:%d", port+1), tlsPort: tlsPort,
		stop: startTool(t, filepath.Join(tools, "pebble"), "-config", path, "-dnsserver", dns, "-strict"),
	}
	await.True(t, "the ACME server listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return a
}

// startTool starts a program that stops with the test, or earlier.
func startTool(t *testing.T, argv ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Kill() // it runs until the test ends
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	return stop
}

// root returns the root certificate of the ACME server. The file also gets the root of
// the test's authority.
func (a *acme) root(t *testing.T, ca *authority, file string) *x509.CertPool {
	t.Helper()
	resp, err := ca.client().Get(a.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("no root certificate: %v", err)
	}
	own, err := os.ReadFile(ca.file)
	if err != nil || os.WriteFile(file, append(text, own...), 0o600) != nil {
		t.Fatalf("save the root certificates: %v", err)
	}
	return roots
}

// connectProxy starts an HTTP proxy that connects every host name to this machine.
func connectProxy(t *testing.T) string {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, port, _ := net.SplitHostPort(r.Host)
		to, err := net.Dial("tcp", "127.0.0.1:"+port)
		if r.Method != http.MethodConnect || err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		from, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			to.Close()
			return
		}
		go func() { _, _ = io.Copy(to, buffered); to.Close() }()
		_, _ = io.Copy(from, to)
		from.Close()
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// TestRelayACME gets the relay's certificate from a real ACME server, by a challenge on
// the relay's own port, and signs in with it. A restarted relay requests no
// certificate.
func TestRelayACME(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	o, authority := startOIDCWith(t, settings{}, ca.client(), ca.env()...), startACME(t, ca)
	r := newTLSRelay(t, ca, authority.tlsPort)
	cache := filepath.Join(r.h.dir, "certificates")
	flags := []string{"--ca-cert", ca.file, "--acme-cache", cache, "--acme-directory", authority.directory, "--acme-email", "somebody@example.com"}
	r.start(flags...)
	r.roots = filepath.Join(ca.dir, "roots.pem")
	trusted := &tls.Config{RootCAs: authority.root(t, ca, r.roots), ServerName: relayHost}
	r.cert = r.awaitCertificate(t, trusted)
	if _, err := tls.Dial("tcp", r.address(), &tls.Config{InsecureSkipVerify: true, ServerName: "other.test"}); err == nil {
		t.Error("the relay has a certificate for another name")
	}

	run, link := r.login(o.mcp())
	c := r.newPhone(t)
	c.followRelay(link)
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Signed in")
	run.wait(0)

	authority.stop()
	stopReplica(r.run)
	r.start(flags...)
	if !r.awaitCertificate(t, trusted).Equal(r.cert) {
		t.Error("the restarted relay has another certificate")
	}
	stopReplica(r.run)
	if info, err := os.Stat(cache); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache of certificates: %v", err)
	}
}

// awaitCertificate connects until the relay has a certificate.
func (r *tlsRelay) awaitCertificate(t *testing.T, trusted *tls.Config) (cert *x509.Certificate) {
	t.Helper()
	await.True(t, "the relay has a certificate", func() bool {
		conn, err := tls.Dial("tcp", r.address(), trusted)
		if err != nil {
			return false
		}
		defer conn.Close()
		cert = conn.ConnectionState().PeerCertificates[0]
		return true
	})
	return cert
}

// TestRelayWithoutCertificate: the log shows why the relay gets no certificate.
func TestRelayWithoutCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	r := newTLSRelay(t, ca, freePorts(t))
	r.start("--acme-cache", filepath.Join(r.h.dir, "certificates"), "--acme-directory", "https://127.0.0.1:1/dir")
	if got := r.run.stderr.await(t, regexp.MustCompile(`(?m)^.*no certificate.*$`)); !strings.Contains(got, "connection refused") {
		t.Errorf("the log is %q", got)
	}
	stopReplica(r.run)
}
