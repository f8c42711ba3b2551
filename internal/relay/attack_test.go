package relay_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/relay"
)

// visit sends a request like a browser on a page of another site.
func (f *fixture) visit(method, to, site, mode, dest string, body string) shown {
	f.t.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Sec-Fetch-Mode", mode)
	req.Header.Set("Sec-Fetch-Dest", dest)
	req.Header.Set("Content-Type", "text/plain")
	return f.read(f.browser().Do(req))
}

// TestHostileWebsite: a page that the user visits can neither act on a session, nor
// use up the rate limit of the user's address.
func TestHostileWebsite(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	for i := range 3000 {
		dest := []string{"image", "empty", "iframe", "script", "style"}[i%5]
		to := []string{base + "/s/BBBB-BBBB", base + "/s?code=BBBBBBBB", callback, base + "/v1/relay"}[i%4]
		if got := f.visit("GET", to, "cross-site", "no-cors", dest, ""); got.status != http.StatusForbidden || got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Fatalf("%s as %s: %d", to, dest, got.status)
		}
	}
	for _, dest := range []string{"empty", "document", "iframe"} {
		for _, to := range []string{s.Complete, base + "/callback", base + "/v1/sessions"} {
			if got := f.visit("POST", to, "cross-site", "navigate", dest, "code="+s.UserCode); got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
				t.Errorf("POST %s as %s: %d", to, dest, got.status)
			}
		}
	}
	if got := f.visit("GET", s.Complete, "cross-site", "navigate", "iframe", ""); got.status != http.StatusForbidden {
		t.Errorf("a frame of another site: %d", got.status)
	}

	// The user's own sign-in works: a link in a chat, and the server's redirect.
	if got := f.visit("GET", s.Complete, "cross-site", "navigate", "document", ""); got.status != http.StatusOK {
		t.Errorf("a link from another site: %d", got.status)
	}
	b := f.browser()
	f.post(b, s.Complete, nil)
	f.get(b, callback)
	if f.query(s) == "" {
		t.Error("the sign-in failed")
	}
}

// TestHostileWebsiteAtPublicRelay: a page cannot make its visitors open sessions.
func TestHostileWebsiteAtPublicRelay(t *testing.T) {
	f := newRelay(t, func(c *relay.Config) { c.Token, c.Public = "", true })
	body := `{"authorization_url":"` + authURL(state) + `"}`
	if got := f.visit("POST", base+"/v1/sessions", "cross-site", "no-cors", "empty", body); got.status != http.StatusForbidden {
		t.Errorf("from a page: %d %s", got.status, got.text)
	}
	if got := f.visit("OPTIONS", base+"/v1/sessions", "cross-site", "cors", "empty", ""); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a page can read responses")
	}
	req, _ := http.NewRequest("POST", base+"/v1/sessions", strings.NewReader(body)) // a browser without Sec-Fetch-Site
	req.Header.Set("Origin", "https://evil.test")
	if got := f.read(f.browser().Do(req)); got.status != http.StatusForbidden {
		t.Errorf("from another origin: %d", got.status)
	}
}

// TestWrongTokensDoNotBlockUsers: a machine with a wrong client token may share its
// address with users who sign in.
func TestWrongTokensDoNotBlockUsers(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	limited := false
	for range 50 {
		status, _ := f.call("POST", "/v1/sessions", "guess", map[string]string{"authorization_url": authURL(state)})
		limited = limited || status == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("client tokens can be guessed without a limit")
	}
	if got := f.get(f.browser(), s.Complete); got.status != http.StatusOK {
		t.Errorf("the page of a sign-in: %d", got.status)
	}
	if f.open(state+"2").ID == "" {
		t.Error("the team cannot sign in")
	}
}

// getThroughProxies sends a GET through a chain of proxies.
func (f *fixture) getThroughProxies(forwarded, to string) int {
	f.t.Helper()
	req, err := http.NewRequest("GET", to, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if forwarded != "" {
		req.Header.Set("X-Forwarded-For", forwarded)
	}
	return f.read(f.browser().Do(req)).status
}

// TestForwardedAddresses: addresses added by trusted proxies are used, and those
// sent by a client are not.
func TestForwardedAddresses(t *testing.T) {
	trusted := func(c *relay.Config) {
		c.Limits.WrongCodes = 1
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fd00::/8")}
	}
	const wrong = base + "/s/BBBB-BBBB"
	for _, tt := range []struct {
		name, first, second string
		same                bool // both count as one client
	}{
		{"two clients", "203.0.113.1", "203.0.113.2", false},
		{"a port", "203.0.113.1:5000", "203.0.113.1:6000", true},
		{"two clients with ports", "203.0.113.1:5000", "203.0.113.2:5000", false},
		{"IPv6 with a port", "[2001:db8::1]:5000", "[2001:db8::1]:6000", true},
		{"IPv6 in brackets", "[2001:db8::1]", "2001:db8::1", true},
		{"one IPv6 network", "2001:db8::1", "2001:db8::2", true},
		{"two IPv6 networks", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"IPv4 in IPv6", "::ffff:203.0.113.1", "203.0.113.1", true},
		{"an address sent by the client", "198.51.100.1, 203.0.113.1", "198.51.100.2, 203.0.113.1", true},
		{"a client that names a proxy", "192.0.2.9, 203.0.113.1", "fd00::1, 203.0.113.1", true},
		{"two proxies", "203.0.113.1, fd00::1", "203.0.113.1, fd00::2", true},
		{"invalid value of a client", "<script>, 203.0.113.1", "203.0.113.1", true},
		{"invalid value of a proxy", "unknown", "x", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newRelay(t, trusted)
			f.getThroughProxies(tt.first, wrong)
			if got := f.getThroughProxies(tt.second, wrong) == http.StatusTooManyRequests; got != tt.same {
				t.Errorf("%q and %q count as one: %t", tt.first, tt.second, got)
			}
		})
	}
	t.Run("no proxy is trusted", func(t *testing.T) {
		f := newRelay(t, func(c *relay.Config) { c.Limits.WrongCodes = 1 })
		f.getThroughProxies("203.0.113.1", wrong)
		if got := f.getThroughProxies("203.0.113.2", wrong); got != http.StatusTooManyRequests {
			t.Errorf("a client that names another address: %d", got)
		}
	})
}

// TestManyAddressesOfOneClient: an attacker with very many addresses displaces only
// clients of the same network.
func TestManyAddressesOfOneClient(t *testing.T) {
	f := newRelay(t, func(c *relay.Config) {
		c.Limits.RequestsPerMinute = 2
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	for i := range 60_000 {
		req, _ := http.NewRequest("GET", base+"/client.json", nil)
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("2001:db8:0:%x::1", i))
		resp, _ := f.RoundTrip(req)
		resp.Body.Close()
	}
	for _, other := range []string{"203.0.113.1", "2a00:1450::1"} {
		if got := f.getThroughProxies(other, base+"/"); got != http.StatusOK {
			t.Errorf("%s: %d", other, got)
		}
	}
	if got := f.getThroughProxies("2001:db8:1:1::1", base+"/"); got != http.StatusTooManyRequests {
		t.Errorf("another client in the network: %d", got)
	}
}

// serve runs the relay at a real port and returns its address, and a function that
// stops it.
func (f *fixture) serve() (address string, stop func(), ended <-chan error) {
	f.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- f.relay.Load().Serve(ctx, l, relay.Certificates{}) }()
	return l.Addr().String(), cancel, done
}

// TestConnections: one address cannot use all connections.
func TestConnections(t *testing.T) {
	f := newRelay(t, func(c *relay.Config) { c.Limits.SessionsPerAddress = 1 })
	at, stop, ended := f.serve()
	defer func() { stop(); await.Receive(t, "the end of the relay", ended) }()
	closed := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return err == io.EOF
	}
	var open []net.Conn
	for range 10 {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	await.True(t, "another connection is rejected", func() bool {
		c, err := net.Dial("tcp", at)
		if err != nil {
			return true
		}
		defer c.Close()
		return closed(c)
	})
	if closed(open[0]) {
		t.Error("an older connection was closed")
	}
	for _, c := range open {
		c.Close()
	}
	await.True(t, "a connection is available again", func() bool {
		resp, err := http.Get("http://" + at + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusNoContent
	})
}

// TestDrainKeepsAnswers: a relay that stops waits until an answer that only it has
// is collected.
func TestDrainKeepsAnswers(t *testing.T) {
	f := newRelay(t, nil)
	at, stop, ended := f.serve()
	s := f.open(state)
	b := f.browser()
	f.post(b, s.Complete, nil)
	f.get(b, callback)
	stop()
	await.True(t, "the relay drains", func() bool {
		resp, err := http.Get("http://" + at + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusServiceUnavailable
	})
	send := func(method, path string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), method, "http://"+at+path, nil)
		req.Header.Set("Authorization", "Bearer "+s.Secret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if status, text := send("GET", "/v1/sessions/"+s.ID); status != http.StatusOK || !strings.Contains(text, "code=xyz") {
		t.Errorf("while the relay stops: %d %s", status, text)
	}
	send("DELETE", "/v1/sessions/"+s.ID+"?outcome=ok")
	if err := await.Receive(t, "the end of the relay", ended); err != nil {
		t.Errorf("Serve() = %v", err)
	}
}

// TestRejectedHosts: an issuer that cannot match any server is a configuration
// error.
func TestRejectedHosts(t *testing.T) {
	for _, host := range []string{"", "https://as.test", "as.test:443", "*.as.test", "as.test/path", "user@as.test"} {
		if _, err := relay.New(relay.Config{BaseURL: base, Sessions: &relay.Memory{}, Token: token, AllowIssuers: []string{host}}); err == nil {
			t.Errorf("%q is accepted", host)
		}
	}
}

// TestDisguisedHosts: a host that browsers parse differently is never allowed.
func TestDisguisedHosts(t *testing.T) {
	f := newRelay(t, func(c *relay.Config) { c.AllowIssuers = []string{"as.test"} })
	for _, origin := range []string{
		"https://as.test.evil.test", "https://evil.test/as.test", `https://evil.test\.as.test`, `https://as.test\@evil.test`, "https://as.test@evil.test",
		"https://evil.test#@as.test", "https:/evil.test", "https:evil.test", "//evil.test", "https://%61s.test", "https://as.test%2eevil.test", "https://as。test",
		"https://ａｓ.test", "https://as.test.", "https://as.test\t", "ht\ntps://as.test", "https://[::1]", "https://evil.test:443", "https://as.test:443@evil.test",
		"data:text/html,as.test", "blob:https://as.test/x", "HTTPS://evil.test", "https://xn--as-test", "https://0x7f.1", "https://relay.test",
	} {
		raw := strings.Replace(authURL(state), "https://as.test", origin, 1)
		if status, v := f.call("POST", "/v1/sessions", token, map[string]string{"authorization_url": raw}); status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d %v", origin, status, v)
		}
	}
	for _, origin := range []string{"https://AS.test", "https://as.test:443", "https://as.test:8443"} {
		raw := strings.Replace(authURL(state+url.QueryEscape(origin)), "https://as.test", origin, 1)
		if status, v := f.call("POST", "/v1/sessions", token, map[string]string{"authorization_url": raw}); status != http.StatusCreated {
			t.Errorf("%q: %d %v", origin, status, v)
		}
	}
}
