package oauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

func get(t *testing.T, c *http.Client, rawURL string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello ", r.Proto) }

func tlsServer(t *testing.T) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return srv, pool
}

func TestGuardAddresses(t *testing.T) {
	t.Parallel()
	srv, pool := tlsServer(t)
	port := srv.Listener.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		name, server string
		ok           bool
	}{
		{"no server: only public addresses", "", false},
		{"a public server", "https://203.0.113.5/mcp", false},
		{"a loopback server", "http://127.0.0.1:1/mcp", true},
		{"a loopback server by name", "http://localhost:1/mcp", true},
		{"a private server", "https://10.1.2.3/mcp", true},
		{"a server in shared address space", "https://100.64.0.1/mcp", true},
		{"a link-local server allows no private address", "https://169.254.169.254/mcp", false},
		{"a server whose name does not resolve", "https://does-not-exist.invalid/mcp", false},
		{"an invalid server URL", "https://[::1/mcp", false},
	} {
		t.Run("checklist 42: "+tt.name, func(t *testing.T) {
			t.Parallel()
			c := oauth.Guard{Server: tt.server, RootCAs: pool}.Client()
			defer c.CloseIdleConnections()
			body, err := get(t, c, fmt.Sprintf("https://127.0.0.1:%d/", port))
			if tt.ok {
				checkErr(t, err, nil)
				want(t, "body", body, "hello HTTP/2.0")
				return
			}
			if _, refused := errors.AsType[*oauth.AddressError](err); !refused || oauth.Temporary(err) {
				t.Errorf("error = %v, want a final *AddressError", err)
			}
		})
	}
}

func TestGuardNeverConnects(t *testing.T) {
	t.Parallel()
	c := oauth.Guard{Server: "http://127.0.0.1:1/mcp"}.Client()
	for _, host := range []string{"169.254.169.254", "0.0.0.0", "[::]", "[fe80::1]", "224.0.0.1", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "255.255.255.255"} {
		_, err := get(t, c, "https://"+host+"/")
		if _, ok := errors.AsType[*oauth.AddressError](err); !ok {
			t.Errorf("GET %s: error = %v, want an *AddressError", host, err)
		}
	}
}

func TestGuardURLs(t *testing.T) {
	t.Parallel()
	c := oauth.Guard{Server: "http://127.0.0.1:1/mcp"}.Client()
	for _, raw := range []string{"http://example.com/", "https://u:p@example.com/", "http://2130706433/", "https://127.1/", "ftp://example.com/"} {
		_, err := get(t, c, raw)
		checkErr(t, err, errURL)
	}
}

func TestGuardTLS(t *testing.T) {
	t.Parallel()
	srv, pool := tlsServer(t)
	_, err := get(t, oauth.Guard{Server: srv.URL}.Client(), srv.URL)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || oauth.Temporary(err) {
		t.Errorf("unknown CA: error = %v, want a final certificate error", err)
	}

	old := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	pool.AddCert(old.Certificate())
	if _, err := get(t, oauth.Guard{Server: old.URL, RootCAs: pool}.Client(), old.URL); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func TestGuardProxy(t *testing.T) {
	t.Parallel()
	var requests []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	via, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := oauth.Guard{Proxy: func(r *http.Request) (*url.URL, error) {
		switch r.URL.Hostname() {
		case "direct.test", "127.0.0.1":
			return nil, nil
		case "broken.test":
			return nil, errors.New("no proxy today")
		}
		return via, nil
	}}.Client()

	// The proxy has a private address, which is allowed.
	if _, err := get(t, c, "https://as.test/"); err == nil || len(requests) != 1 || requests[0] != "CONNECT as.test:443" {
		t.Errorf("error = %v, proxy requests %q, want one CONNECT", err, requests)
	}
	for _, raw := range []string{"https://10.0.0.1/", "https://[::ffff:192.168.1.1]/", "https://127.0.0.1:1/"} {
		_, err := get(t, c, raw)
		if _, ok := errors.AsType[*oauth.AddressError](err); !ok {
			t.Errorf("GET %s: error = %v, want an *AddressError", raw, err)
		}
	}
	if _, err := get(t, c, "https://broken.test/"); err == nil || !strings.Contains(err.Error(), "no proxy today") {
		t.Errorf("error = %v, want that of the proxy function", err)
	}
	want(t, "proxy requests", len(requests), 1)
}

func TestGuardTimeout(t *testing.T) {
	t.Parallel()
	disconnected := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // no response after the header
			fmt.Fprint(w, `{"access_`)
			http.NewResponseController(w).Flush()
		}
		<-disconnected
	}))
	defer srv.Close()
	defer close(disconnected)
	shortTimeout := oauth.Guard{Server: srv.URL, Timeout: 50 * time.Millisecond}.Client()
	_, err := get(t, shortTimeout, srv.URL)
	checkErr(t, err, errTemporary)
	_, err = (&oauth.Client{HTTP: shortTimeout, Server: oauth.Server{TokenEndpoint: srv.URL}}).Token(t.Context(), nil)
	checkErr(t, err, errTemporary)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = oauth.FetchServer(ctx, oauth.Guard{Server: srv.URL}.Client(), srv.URL)
	if err == nil || oauth.Temporary(err) {
		t.Errorf("canceled: error = %v, want one that is not temporary", err)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	const start = "https://as.test/.well-known/oauth-authorization-server"
	to := func(target string) page {
		return page{status: 302, header: http.Header{"Location": {target}}}
	}
	for _, tt := range []struct {
		name  string
		pages map[string]page
		err   error
		count int
	}{
		{"three redirects are followed", map[string]page{start: to("/1"), "https://as.test/1": to("/2"), "https://as.test/2": to("https://cdn.test/3"), "https://cdn.test/3": asMetadata("https://as.test")}, nil, 4},
		{"a fourth redirect is not", map[string]page{start: to("/1"), "https://as.test/1": to("/2"), "https://as.test/2": to("/3"), "https://as.test/3": to("/4")}, errRedirect, 4},
		{"to http", map[string]page{start: to("http://127.0.0.1/x")}, errRedirect, 1},
		{"to a user name", map[string]page{start: to("https://u:p@as.test/x")}, errURL, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := site(tt.pages)
			_, err := oauth.FetchServer(t.Context(), w.client(), "https://as.test")
			want(t, "requests", len(w.requests), tt.count)
			if tt.err == errRedirect {
				if _, ok := errors.AsType[*oauth.RedirectError](err); !ok || oauth.Temporary(err) {
					t.Errorf("error = %v, want a final *RedirectError", err)
				}
				return
			}
			checkErr(t, err, tt.err)
		})
	}
}

var errRedirect = errors.New("a *RedirectError")

// TestRedirectHeaders: headers that identify the client are not sent to another
// host after a redirect.
func TestRedirectHeaders(t *testing.T) {
	t.Parallel()
	w := site(map[string]page{
		mcpURL:                   unauthorized(),
		pathPRM:                  {status: 307, header: http.Header{"Location": {"https://other.test/prm"}}},
		"https://other.test/prm": resourceMetadata(mcpURL),
	})
	_, err := oauth.Discover(t.Context(), w.client(), mcpURL)
	checkErr(t, err, nil)
	want(t, "headers", len(w.last.Header), 2) // Accept and User-Agent
	want(t, "Referer", w.last.Header.Get("Referer"), "")
}

func TestPostIsNeverRedirected(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := site(map[string]page{"https://as.test/token": {status: status, header: http.Header{"Location": {"https://evil.test/steal"}}}})
		_, err := testClient(w).Refresh(t.Context(), "rt-secret", "", nil)
		e, ok := errors.AsType[*oauth.RedirectError](err)
		if !ok || e.To != "https://evil.test/steal" || strings.Contains(err.Error(), "rt-secret") {
			t.Errorf("%d: error = %v, want a *RedirectError naming the target", status, err)
		}
		want(t, "requests", len(w.requests), 1)
	}
}

// TestLinkLocalAddressError: a link-local address is rejected even
// for a private MCP server, so the error must not say that the server would have to
// be private.
func TestLinkLocalAddressError(t *testing.T) {
	t.Parallel()
	err := &oauth.AddressError{Addr: netip.MustParseAddr("169.254.169.254")}
	want(t, "error", err.Error(), "address 169.254.169.254 is link-local or reserved, and never used")
}
