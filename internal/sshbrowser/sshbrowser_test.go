package sshbrowser_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
)

// laptop serves a helper whose browser sends the pages that it is given to opened.
func laptop(t *testing.T, h *sshbrowser.Helper) (socket string, opened chan string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, remove, err := privsock.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	opened = make(chan string, 1)
	if h.Open == nil {
		h.Open = func(_ context.Context, url string) error { opened <- url; return nil }
	}
	h.From = "devbox"
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		remove()
	})
	return socket, opened
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// link is an authorization URL as a sign-in makes it, with some parameters changed;
// an empty value removes one.
func link(port int, changed ...string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"c"}, "state": {"STATE"}, "code_challenge": {"x"}, "code_challenge_method": {"S256"},
		"redirect_uri": {fmt.Sprintf("http://127.0.0.1:%d/callback", port)}, "resource": {"https://mcp.example.com/mcp"},
	}
	for i := 0; i < len(changed); i += 2 {
		q.Set(changed[i], changed[i+1])
		if changed[i+1] == "" {
			q.Del(changed[i])
		}
	}
	return "https://as.example.com/authorize?" + q.Encode()
}

func get(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	socket, opened := laptop(t, &sshbrowser.Helper{})
	if found := sshbrowser.Find(t.Context(), "", filepath.Dir(socket)); found != socket {
		t.Fatalf("found %q", found)
	}
	port := freePort(t)
	b := &sshbrowser.Browser{Socket: socket}
	if err := b.Open(t.Context(), link(port)); err != nil {
		t.Fatal(err)
	}
	page := <-opened
	code, body := get(t, page)
	for _, want := range []string{"devbox", "as.example.com", "mcp.example.com"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, no %s in %s", code, want, body)
		}
	}
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	for name, r := range map[string]struct {
		url    string
		header []string
	}{
		"another state":     {base + "/callback?code=evil&state=OTHER", nil},
		"two states":        {base + "/callback?code=evil&state=STATE&state=OTHER", nil},
		"no code":           {base + "/callback?state=STATE", nil},
		"another path":      {base + "/other?code=evil&state=STATE", nil},
		"DNS rebinding":     {base + "/callback?code=evil&state=STATE", []string{"Host", "evil.example"}},
		"page from a site":  {page, []string{"Sec-Fetch-Site", "cross-site"}},
		"cancel by a site":  {page + "/cancel", []string{"Sec-Fetch-Site", "cross-site"}},
		"page by guesswork": {base + "/x", nil},
	} {
		if code, _ := get(t, r.url, r.header...); code < 400 {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code, body := get(t, base+"/callback?code=good&state=STATE&iss=x"); code != http.StatusOK || !strings.Contains(body, "terminal") {
		t.Errorf("%d %s", code, body)
	}
	if query, err := b.Answer(t.Context()); err != nil || query != "code=good&state=STATE&iss=x" {
		t.Errorf("%q, %v", query, err)
	}
}

// TestHostileRemote: a remote host can ask, and nothing else. None of these opens
// a browser.
func TestHostileRemote(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	socket, opened := laptop(t, &sshbrowser.Helper{Asked: func(string, error) { asked.Add(1) }})
	port := freePort(t)
	hostile := map[string]string{
		"file":               "file:///etc/passwd",
		"script":             "javascript:alert(1)",
		"plain http":         strings.Replace(link(port), "https:", "http:", 1),
		"userinfo":           strings.Replace(link(port), "https://", "https://a@", 1),
		"an option":          "--new-window",
		"no request":         "https://as.example.com/",
		"no PKCE":            link(port, "code_challenge", ""),
		"plain PKCE":         link(port, "code_challenge_method", "plain"),
		"no state":           link(port, "state", ""),
		"two states":         link(port) + "&state=2",
		"token response":     link(port, "response_type", "token"),
		"request object":     link(port, "request_uri", "https://evil.example"),
		"response mode":      link(port, "response_mode", "form_post"),
		"redirect elsewhere": link(port, "redirect_uri", "https://evil.example/callback"),
		"all addresses":      link(port, "redirect_uri", fmt.Sprintf("http://0.0.0.0:%d/callback", port)),
		"system's port":      link(80),
		"no port":            link(port, "redirect_uri", "http://127.0.0.1/callback"),
		"too long":           link(port, "scope", strings.Repeat("x", 9000)),
	}
	for name, url := range hostile {
		b := &sshbrowser.Browser{Socket: socket}
		if err := b.Open(t.Context(), url); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if n := int(asked.Load()); n != len(hostile) {
		t.Errorf("the person was told of %d requests, not %d", n, len(hostile))
	}
	select {
	case url := <-opened:
		t.Errorf("opened %s", url)
	default:
	}
}

// TestGarbage: what is no message closes the connection or is answered with an
// error, and others are served.
func TestGarbage(t *testing.T) {
	t.Parallel()
	socket, _ := laptop(t, &sshbrowser.Helper{})
	for _, text := range []string{"\n", "GET / HTTP/1.1\r\n\r\n", "[]\n", `{"url":7}` + "\n", strings.Repeat("x", 100<<10)} {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text) // the helper may have hung up
		out, _ := io.ReadAll(c)        // likewise
		if strings.Contains(string(out), "opened") {
			t.Errorf("%.20q: %s", text, out)
		}
		_ = c.Close()
	}
	if sshbrowser.Find(t.Context(), socket, "") == "" {
		t.Error("the helper no longer answers")
	}
}

// TestOneAtATime: a second request waits for the first to end, and the remote
// host's hanging up ends one.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	socket, opened := laptop(t, &sshbrowser.Helper{})
	first, second := &sshbrowser.Browser{Socket: socket}, &sshbrowser.Browser{Socket: socket}
	port := freePort(t)
	if err := first.Open(t.Context(), link(port)); err != nil {
		t.Fatal(err)
	}
	<-opened
	if err := second.Open(t.Context(), link(freePort(t))); err == nil || !strings.Contains(err.Error(), "another sign-in") {
		t.Errorf("second: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for second.Open(t.Context(), link(port)) != nil {
		if t.Context().Err() != nil {
			t.Fatal("the first request never ended")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelAndExpiry(t *testing.T) {
	t.Parallel()
	socket, opened := laptop(t, &sshbrowser.Helper{})
	b := &sshbrowser.Browser{Socket: socket}
	if err := b.Open(t.Context(), link(freePort(t))); err != nil {
		t.Fatal(err)
	}
	get(t, <-opened+"/cancel")
	if _, err := b.Answer(t.Context()); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("cancel: %v", err)
	}
	socket, opened = laptop(t, &sshbrowser.Helper{Life: 200 * time.Millisecond})
	b = &sshbrowser.Browser{Socket: socket}
	port := freePort(t)
	if err := b.Open(t.Context(), link(port)); err != nil {
		t.Fatal(err)
	}
	<-opened
	if _, err := b.Answer(t.Context()); err == nil {
		t.Error("a request outlived its time")
	}
}

func TestNoBrowserAndBusyPort(t *testing.T) {
	t.Parallel()
	socket, _ := laptop(t, &sshbrowser.Helper{Open: func(context.Context, string) error { return errors.New("none") }})
	b := &sshbrowser.Browser{Socket: socket}
	if err := b.Open(t.Context(), link(freePort(t))); err == nil || !strings.Contains(err.Error(), "no browser") {
		t.Errorf("no browser: %v", err)
	}
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if err := b.Open(t.Context(), link(busy.Addr().(*net.TCPAddr).Port)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("busy port: %v", err)
	}
}

// TestDeadSockets: a socket that nobody serves, one that accepts and says nothing,
// and one that speaks another protocol fall through within a second, beside one
// that works.
func TestDeadSockets(t *testing.T) {
	t.Parallel()
	socket, _ := laptop(t, &sshbrowser.Helper{})
	dir := filepath.Dir(socket)
	dead := filepath.Join(dir, "dead")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close() // the file stays
	silent, err := net.Listen("unix", filepath.Join(dir, "silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	odd, err := net.Listen("unix", filepath.Join(dir, "odd"))
	if err != nil {
		t.Fatal(err)
	}
	defer odd.Close()
	go func() {
		for c, err := odd.Accept(); err == nil; c, err = odd.Accept() {
			_, _ = io.WriteString(c, "SSH-2.0\r\n") // the test ends it
			_ = c.Close()
		}
	}()
	begun := time.Now()
	if found := sshbrowser.Find(t.Context(), "", dir); found != socket {
		t.Errorf("found %q", found)
	}
	for _, path := range []string{dead, silent.Addr().String(), odd.Addr().String(), filepath.Join(dir, "none")} {
		if found := sshbrowser.Find(t.Context(), path, ""); found != "" {
			t.Errorf("%s counts as a laptop", path)
		}
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	sshbrowser.Prune(dir)
	if _, err := os.Lstat(dead); err == nil {
		t.Error("the dead socket is still there")
	}
	if _, err := os.Lstat(socket); err != nil {
		t.Error("the live socket is gone")
	}
}
