package authcode_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/oauth"
)

// loginBy runs a login with a registration and returns the redirect URL that was
// sent.
func loginBy(t *testing.T, f *authcode.Flow, app oauth.App) (string, error) {
	t.Helper()
	s := newServer()
	var sent string
	open, wait := browser(func(link string) {
		sent = requestParams(t, link).Get("redirect_uri")
		if page := visit(t, get(t, redirectURL(t, link))); page.status != http.StatusOK {
			t.Errorf("HTTP %d at %s", page.status, sent)
		}
	})
	f.Open = open
	r := s.request()
	app.ID, app.AuthMethod = "client-1", "none"
	r.Client.App = app
	_, err := f.Run(t.Context(), r)
	wait()
	return sent, err
}

// TestRedirectURLs: Checklist 27: loopback, or an https URL that the user sets.
func TestRedirectURLs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		redirect authcode.Redirect
		want     string // PORT stands for any port
	}{
		{"zero", authcode.Redirect{}, "http://127.0.0.1:PORT/callback"},
		{"name", authcode.Redirect{Host: "localhost"}, "http://localhost:PORT/callback"},
		{"IPv6", authcode.Redirect{Host: "::1"}, "http://[::1]:PORT/callback"},
		{"path", authcode.Redirect{Path: "/oauth/cb"}, "http://127.0.0.1:PORT/oauth/cb"},
		{"root path", authcode.Redirect{Path: "/"}, "http://127.0.0.1:PORT/"},
		{"query", authcode.Redirect{Path: "/cb?app=1"}, "http://127.0.0.1:PORT/cb?app=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &authcode.Flow{Redirect: tt.redirect}
			m, err := f.Metadata()
			if err != nil {
				t.Fatal(err)
			}
			again, err := f.Metadata()
			if err != nil || again.RedirectURIs[0] != m.RedirectURIs[0] {
				t.Errorf("two calls of Metadata = %v, %v", again.RedirectURIs, err)
			}
			sent, err := loginBy(t, f, oauth.App{RedirectURIs: m.RedirectURIs})
			if err != nil {
				t.Fatal(err)
			}
			before, after, _ := strings.Cut(tt.want, "PORT")
			if !strings.HasPrefix(sent, before) || !strings.HasSuffix(sent, after) || sent != m.RedirectURIs[0] {
				t.Errorf("registered %v, sent %q, want %q", m.RedirectURIs, sent, tt.want)
			}
		})
	}
}

func TestWholeRedirectURL(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	for _, raw := range []string{fmt.Sprintf("http://localhost:%d/callback", port), fmt.Sprintf("http://localhost:%d", port)} {
		sent, err := loginBy(t, &authcode.Flow{Redirect: authcode.Redirect{URL: raw}}, oauth.App{})
		if err != nil || sent != raw {
			t.Errorf("sent %q, %v; want %q", sent, err, raw)
		}
	}
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		for _, taken := range []string{"127.0.0.1:0", "[::1]:0"} {
			if host == "127.0.0.1" && taken == "[::1]:0" {
				continue // not listened on by this program
			}
			l, err := net.Listen("tcp", taken)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			port := l.Addr().(*net.TCPAddr).Port
			f := &authcode.Flow{Redirect: authcode.Redirect{Host: host, Port: port}}
			_, err = f.Metadata()
			if e, ok := errors.AsType[*authcode.PortError](err); !ok || e.Port != port || !strings.Contains(err.Error(), "in use") {
				t.Errorf("Metadata for %s with %s in use: %v", host, taken, err)
			}
			if _, err := f.Run(t.Context(), newServer().request()); err == nil {
				t.Errorf("Run for %s with %s in use: no error", host, taken)
			}
		}
	}
}

func TestRegisteredRedirectURLs(t *testing.T) {
	t.Parallel()
	free := freePort(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	at := func(host string, port int, path string) string {
		return fmt.Sprintf("http://%s:%d%s", host, port, path)
	}

	t.Run("the same port is used again", func(t *testing.T) {
		app := oauth.App{RedirectURIs: []string{at("127.0.0.1", free, "/callback")}}
		if sent, err := loginBy(t, &authcode.Flow{}, app); err != nil || sent != app.RedirectURIs[0] {
			t.Errorf("sent %q, %v", sent, err)
		}
	})
	t.Run("even after Metadata listened on another", func(t *testing.T) {
		app := oauth.App{RedirectURIs: []string{at("127.0.0.1", free, "/callback")}}
		f := &authcode.Flow{}
		if _, err := f.Metadata(); err != nil {
			t.Fatal(err)
		}
		if sent, err := loginBy(t, f, app); err != nil || sent != app.RedirectURIs[0] {
			t.Errorf("sent %q, %v", sent, err)
		}
	})
	t.Run("another port if it is in use", func(t *testing.T) { // RFC 8252 §7.3
		app := oauth.App{RedirectURIs: []string{at("127.0.0.1", taken, "/cb")}}
		sent, err := loginBy(t, &authcode.Flow{}, app)
		if err != nil || sent == app.RedirectURIs[0] || !strings.HasPrefix(sent, "http://127.0.0.1:") || !strings.HasSuffix(sent, "/cb") {
			t.Errorf("sent %q, %v", sent, err)
		}
	})
	t.Run("without a port", func(t *testing.T) {
		sent, err := loginBy(t, &authcode.Flow{}, oauth.App{RedirectURIs: []string{"http://127.0.0.1/callback"}})
		if err != nil || !strings.HasPrefix(sent, "http://127.0.0.1:") {
			t.Errorf("sent %q, %v", sent, err)
		}
	})
	t.Run("the requested host", func(t *testing.T) {
		app := oauth.App{RedirectURIs: []string{"com.example:/cb", "https://relay.test/cb", at("127.0.0.1", free, "/cb"), "http://localhost/cb"}}
		sent, err := loginBy(t, &authcode.Flow{Redirect: authcode.Redirect{Host: "localhost"}}, app)
		if err != nil || !strings.HasPrefix(sent, "http://localhost:") || !strings.HasSuffix(sent, "/cb") {
			t.Errorf("sent %q, %v", sent, err)
		}
	})
	t.Run("no matching URL", func(t *testing.T) {
		for _, r := range []authcode.Redirect{{Host: "localhost"}, {Path: "/other"}, {URL: at("127.0.0.1", free, "/")}} {
			_, err := loginBy(t, &authcode.Flow{Redirect: r}, oauth.App{RedirectURIs: []string{at("127.0.0.1", free, "/callback")}})
			if !errors.Is(err, authcode.ErrRedirect) || !errors.Is(err, flows.ErrClient) {
				t.Errorf("%+v: %v", r, err)
			}
		}
	})
}

func TestCloseFreesThePort(t *testing.T) {
	t.Parallel()
	f := &authcode.Flow{Redirect: authcode.Redirect{Port: freePort(t)}}
	for range 2 {
		if _, err := f.Metadata(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// A port is released too if Run is never called.
	if _, err := f.Metadata(); err != nil {
		t.Fatal(err)
	}
	r := newServer().request()
	r.Params = map[string][]string{"state": {"x"}}
	if _, err := f.Run(t.Context(), r); err == nil {
		t.Fatal("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Run(ctx, newServer().request()); !errors.Is(err, context.Canceled) {
		t.Fatalf("Run: %v", err)
	}
	if _, err := f.Metadata(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
