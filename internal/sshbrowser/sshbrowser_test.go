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
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
)

// laptop serves a helper whose browser sends the URLs of its pages to opened.
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

// browserAt returns the browser on the laptop that is reached at a socket path.
func browserAt(path string) *sshbrowser.Browser {
	return &sshbrowser.Browser{Find: func() string { return path }}
}

// open reserves a port and sends the URL for it.
func open(t *testing.T, b *sshbrowser.Browser, changed ...string) (port int, err error) {
	t.Helper()
	if port, err = b.Reserve(t.Context(), "127.0.0.1", 0); err != nil {
		return 0, err
	}
	return port, b.Open(t.Context(), link(port, changed...))
}

// freePort returns a port without a listener.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// link is an authorization URL like that of a sign-in, with some parameters
// changed; an empty value removes one.
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
	b := browserAt(socket)
	port, err := open(t, b)
	if err != nil {
		t.Fatal(err)
	}
	page := <-opened
	code, body := get(t, page)
	for _, want := range []string{"devbox", "as.example.com", "mcp.example.com"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, no %s in %s", code, want, body)
		}
	}
	if strings.Contains(body, "do not ask again") {
		t.Error("the page offers to remember, though nothing is kept")
	}
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	for name, r := range map[string]struct {
		url    string
		header []string
	}{
		"another state":    {base + "/callback?code=evil&state=OTHER", nil},
		"two states":       {base + "/callback?code=evil&state=STATE&state=OTHER", nil},
		"no code":          {base + "/callback?state=STATE", nil},
		"code and error":   {base + "/callback?state=STATE&code=evil&error=x", nil},
		"another path":     {base + "/other?code=evil&state=STATE", nil},
		"DNS rebinding":    {base + "/callback?code=evil&state=STATE", []string{"Host", "evil.example"}},
		"page from a site": {page, []string{"Sec-Fetch-Site", "cross-site"}},
		"cancel by a site": {page + "/cancel", []string{"Sec-Fetch-Site", "cross-site"}},
		"guessed page":     {base + "/x", nil},
		"nothing is kept":  {page + "/always", nil},
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

// TestPageOfHostileRemote: text of the remote host is escaped in the page, and
// cannot change its direction.
func TestPageOfHostileRemote(t *testing.T) {
	t.Parallel()
	socket, opened := laptop(t, &sshbrowser.Helper{})
	b := browserAt(socket)
	if _, err := open(t, b, "resource", "https://<script>alert(1)</script>%E2%80%AE/"); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, body := get(t, <-opened); strings.Contains(body, "<script") || strings.Contains(body, "\u202e") {
		t.Errorf("the page contains text of the remote host:\n%s", body)
	}
}

// TestReservation: the laptop listens on the port before the URL exists, on every
// address of the redirect URI, and stops when the remote host disconnects.
func TestReservation(t *testing.T) {
	t.Parallel()
	socket, _ := laptop(t, &sshbrowser.Helper{})
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	b := browserAt(socket)
	if _, err := b.Reserve(t.Context(), "127.0.0.1", busy.Addr().(*net.TCPAddr).Port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port in use: %v", err)
	}
	port, err := b.Reserve(t.Context(), "localhost", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			_ = l.Close()
			t.Errorf("another program can listen at %s", host)
		}
	}
	if err := b.Open(t.Context(), link(port)); err == nil || !strings.Contains(err.Error(), "reserved port") {
		t.Errorf("another redirect host: %v", err)
	}
	again := browserAt(socket)
	await.True(t, "the port is free", func() bool {
		_, err := again.Reserve(t.Context(), "localhost", port)
		return err == nil
	})
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestHostileRemote: a remote host can only send valid requests. None of these
// opens a browser.
func TestHostileRemote(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	places := map[string]struct {
		host string
		port int
	}{
		"all addresses": {"0.0.0.0", 0}, "another host": {"evil.example", 0}, "system's port": {"127.0.0.1", 80},
		"no port": {"127.0.0.1", 70000}, "negative": {"127.0.0.1", -1}, "no host": {"", 0},
	}
	socket, _ := laptop(t, &sshbrowser.Helper{})
	for name, p := range places {
		if _, err := browserAt(socket).Reserve(t.Context(), p.host, p.port); err == nil {
			t.Errorf("%s was reserved", name)
		}
	}
	for name, url := range map[string]string{
		"file":               "file:///etc/passwd",
		"script":             "javascript:alert(1)",
		"data":               "data:text/html,x",
		"program's scheme":   "vscode://x/?" + strings.SplitN(link(port), "?", 2)[1],
		"plain http":         strings.Replace(link(port), "https:", "http:", 1),
		"laptop's loopback":  strings.Replace(link(port), "https://as.example.com", "http://127.0.0.1:8080", 1),
		"userinfo":           strings.Replace(link(port), "https://", "https://a@", 1),
		"an option":          "--new-window",
		"look-alike host":    strings.Replace(link(port), "as.example.com", "аs.example.com", 1),
		"encoded look-alike": strings.Replace(link(port), "as.example.com", "%E2%80%AEas.example.com", 1),
		"a line break":       link(port) + "\nhttps://evil.example",
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
		"another port":       link(80),
		"no port":            link(port, "redirect_uri", "http://127.0.0.1/callback"),
		"too long":           link(port, "scope", strings.Repeat("x", 9000)),
		"longer":             link(port, "scope", strings.Repeat("x", 90000)),
	} {
		var notices atomic.Int32
		socket, opened := laptop(t, &sshbrowser.Helper{Asked: func(string, error) { notices.Add(1) }})
		b := browserAt(socket)
		if _, err := b.Reserve(t.Context(), "127.0.0.1", port); err != nil {
			t.Fatal(err)
		}
		if err := b.Open(t.Context(), url); err == nil {
			t.Errorf("%s was opened", name)
		} else if strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: the error repeats the request: %v", name, err)
		}
		if notices.Load() != 1 && name != "longer" { // not checked on this side
			t.Errorf("%s: %d notices to the user", name, notices.Load())
		}
		select {
		case url := <-opened:
			t.Errorf("opened %s", url)
		default:
		}
	}
}

// TestManyRequests: a remote host cannot open pages without limit, or use every
// connection.
func TestManyRequests(t *testing.T) {
	t.Parallel()
	var pages atomic.Int32
	socket, _ := laptop(t, &sshbrowser.Helper{Open: func(context.Context, string) error { pages.Add(1); return nil }})
	var last error
	await.True(t, "the laptop rejects more requests", func() bool {
		b := browserAt(socket)
		_, last = open(t, b)
		_ = b.Close() // the next one requests another page
		return last != nil && strings.Contains(last.Error(), "too many")
	})
	if n := pages.Load(); n > 10 {
		t.Errorf("%d pages were opened", n)
	}
	for range 100 {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if found := sshbrowser.Find(t.Context(), socket, ""); found != "" {
		t.Error("a hundred connections are served at once")
	}
}

// TestRememberedChoice: the page asks until the user chooses not to be asked again,
// for that server and that host only.
func TestRememberedChoice(t *testing.T) {
	t.Parallel()
	memory := &sshbrowser.File{Path: filepath.Join(t.TempDir(), "hosts.json"), Host: "devbox"}
	socket, opened := laptop(t, &sshbrowser.Helper{Memory: memory})
	redirect := func(url string) string {
		t.Helper()
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.Header.Get("Location")
	}
	visit := func() string {
		t.Helper()
		b := browserAt(socket)
		t.Cleanup(func() { _ = b.Close() })
		await.True(t, "the previous request is complete", func() bool { _, err := open(t, b); return err == nil })
		return <-opened
	}
	page := visit()
	if to := redirect(page); to != "" {
		t.Fatalf("it redirects to %s without asking", to)
	}
	if code, _ := get(t, page+"/always", "Sec-Fetch-Site", "cross-site"); code < 400 || memory.Knows("as.example.com") {
		t.Error("another site made the choice")
	}
	if to := redirect(page + "/always"); !strings.HasPrefix(to, "https://as.example.com/") {
		t.Errorf("the choice redirects to %q", to)
	}
	get(t, page+"/cancel")
	if to := redirect(visit()); !strings.HasPrefix(to, "https://as.example.com/") {
		t.Errorf("it asks again, %q", to)
	}
	other := &sshbrowser.File{Path: memory.Path, Host: "other"}
	if memory.Knows("evil.example") || other.Knows("as.example.com") {
		t.Error("more is remembered than the user chose")
	}
	if info, err := os.Stat(memory.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

// TestInvalidMessages: an invalid message closes the connection or gets an error,
// and other connections are served.
func TestInvalidMessages(t *testing.T) {
	t.Parallel()
	socket, _ := laptop(t, &sshbrowser.Helper{})
	for _, text := range []string{"\n", "GET / HTTP/1.1\r\n\r\n", "[]\n", `{"url":7}` + "\n", `{"url":"https://as.example.com"}` + "\n", strings.Repeat("x", 100<<10)} {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text) // the helper may have closed the connection
		out, _ := io.ReadAll(c)        // likewise
		if strings.Contains(string(out), "opened") || strings.Contains(string(out), "port") {
			t.Errorf("%.20q: %s", text, out)
		}
		_ = c.Close()
	}
	if sshbrowser.Find(t.Context(), socket, "") == "" {
		t.Error("the helper no longer answers")
	}
}

// TestOneAtATime: a second request waits for the first to end, and a request ends
// when the remote host disconnects.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	socket, opened := laptop(t, &sshbrowser.Helper{})
	first, second := browserAt(socket), browserAt(socket)
	port, err := open(t, first)
	if err != nil {
		t.Fatal(err)
	}
	<-opened
	if _, err := open(t, second); err == nil || !strings.Contains(err.Error(), "another sign-in") {
		t.Errorf("second: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the first request has ended", func() bool {
		_, err := second.Reserve(t.Context(), "127.0.0.1", port)
		return err == nil
	})
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelAndExpiry(t *testing.T) {
	t.Parallel()
	socket, opened := laptop(t, &sshbrowser.Helper{})
	b := browserAt(socket)
	if _, err := open(t, b); err != nil {
		t.Fatal(err)
	}
	get(t, <-opened+"/cancel")
	if _, err := b.Answer(t.Context()); !errors.Is(err, sshbrowser.ErrCanceled) {
		t.Errorf("cancel: %v", err)
	}
	socket, opened = laptop(t, &sshbrowser.Helper{Lifetime: 200 * time.Millisecond})
	b = browserAt(socket)
	if _, err := open(t, b); err != nil {
		t.Fatal(err)
	}
	<-opened
	if _, err := b.Answer(t.Context()); err == nil {
		t.Error("a request did not expire")
	}
}

func TestNoBrowser(t *testing.T) {
	t.Parallel()
	socket, _ := laptop(t, &sshbrowser.Helper{Open: func(context.Context, string) error { return errors.New("none") }})
	if _, err := open(t, browserAt(socket)); err == nil || !strings.Contains(err.Error(), "no browser") {
		t.Errorf("no browser: %v", err)
	}
	if _, err := browserAt("").Reserve(t.Context(), "127.0.0.1", 0); err == nil || !strings.Contains(err.Error(), "no longer answers") {
		t.Errorf("no laptop: %v", err)
	}
}

// TestPort: over TCP both sides prove that they know the secret without sending it.
func TestPort(t *testing.T) {
	t.Parallel()
	const secret = "a-secret-of-a-link"
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &sshbrowser.Helper{From: "devbox", Open: func(context.Context, string) error { return nil }}
	if h.Serve(t.Context(), l) == nil {
		t.Fatal("a port is served without a secret")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	h.Secret = secret
	go func() { done <- h.Serve(ctx, l) }()
	defer func() { cancel(); <-done }()
	number := l.Addr().(*net.TCPAddr).Port
	folder := filepath.Join(t.TempDir(), "browser")
	if _, err := sshbrowser.Prepare(folder); err != nil {
		t.Fatal(err)
	}
	if err := sshbrowser.Announce(folder, number, "another-secret-than-that"); err != nil {
		t.Fatal(err)
	}
	if found := sshbrowser.Find(t.Context(), "", folder); found != "" {
		t.Errorf("%s accepts a wrong secret", found)
	}
	if err := sshbrowser.Announce(folder, number, secret); err != nil {
		t.Fatal(err)
	}
	found := sshbrowser.Find(t.Context(), "", folder)
	if found == "" {
		t.Fatal("the port does not respond")
	}
	if info, err := os.Stat(found); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the port: %v, %v", info, err)
	}
	b := browserAt(found)
	if _, err := open(t, b); err != nil {
		t.Error(err)
	}
	_ = b.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, `{"nonce":"x","proof":"y"}`+"\n"+`{"reserve":{"host":"127.0.0.1"}}`+"\n") // it closes the connection
	if out, _ := io.ReadAll(c); strings.Contains(string(out), "port") || strings.Contains(string(out), secret) {
		t.Errorf("a client without the secret got %s", out)
	}
}

// TestSquattedPort: a program that listens on the port after the connection ended
// is not accepted as the laptop, and learns nothing that it could use elsewhere.
func TestSquattedPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	received := make(chan string, 16)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			_, _ = io.WriteString(c, `{"version":1,"nonce":"N"}`+"\n"+`{"proof":"p","port":4000,"opened":true}`+"\n")
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			out, _ := io.ReadAll(c)
			received <- string(out)
			_ = c.Close()
		}
	}()
	folder := filepath.Join(t.TempDir(), "browser")
	if _, err := sshbrowser.Prepare(folder); err != nil {
		t.Fatal(err)
	}
	if err := sshbrowser.Announce(folder, l.Addr().(*net.TCPAddr).Port, "a-secret-of-a-link"); err != nil {
		t.Fatal(err)
	}
	if found := sshbrowser.Find(t.Context(), "", folder); found != "" {
		t.Error("a squatter counts as the laptop")
	}
	if out := <-received; strings.Contains(out, "secret") || strings.Contains(out, "url") {
		t.Errorf("the squatter received %s", out)
	}
}

// TestLink: the ports and the secret of a host stay the same, and differ from those
// of another host.
func TestLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := sshbrowser.LinkTo(dir, "devbox")
	if err != nil {
		t.Fatal(err)
	}
	again, err := sshbrowser.LinkTo(dir, "devbox")
	if err != nil || again != first || first.Local == first.Remote {
		t.Errorf("%+v, then %+v, %v", first, again, err)
	}
	if other, err := sshbrowser.LinkTo(dir, "../../x; y"); err != nil || other.Secret == first.Secret {
		t.Errorf("another host: %+v, %v", other, err)
	}
}

// TestFolder: hosts that share a home folder have separate folders, with safe and
// short names.
func TestFolder(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, host := range []string{"a", "b", "", "a.example", "a.example.org", "..", "x/../..", "Ä", strings.Repeat("long", 60), strings.Repeat("long", 61)} {
		name, err := filepath.Rel("/base", sshbrowser.Folder("/base", host))
		if err != nil || strings.ContainsAny(name, "/.:") || len(name) > 30 || names[name] {
			t.Errorf("%q has the folder %q, %v", host, name, err)
		}
		names[name] = true
	}
	dir := filepath.Join(t.TempDir(), "f")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path, err := sshbrowser.Prepare(dir)
	if info, _ := os.Stat(dir); err != nil || filepath.Dir(path) != dir || info.Mode().Perm() != 0o700 {
		t.Errorf("%q, %v, %v", path, info.Mode(), err)
	}
	if _, err := sshbrowser.Prepare(filepath.Join(dir, strings.Repeat("x", 100))); err == nil || !strings.Contains(err.Error(), "XDG_STATE_HOME") {
		t.Errorf("a path too long for a socket: %v", err)
	}
}

// TestDeadSockets: a socket without a listener, one that accepts and never
// responds, and one with another protocol are skipped within a second, in favor of
// one that works.
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
	otherProtocol, err := net.Listen("unix", filepath.Join(dir, "odd"))
	if err != nil {
		t.Fatal(err)
	}
	defer otherProtocol.Close()
	go func() {
		for c, err := otherProtocol.Accept(); err == nil; c, err = otherProtocol.Accept() {
			_, _ = io.WriteString(c, "SSH-2.0\r\n") // closed by the test
			_ = c.Close()
		}
	}()
	start := time.Now()
	if found := sshbrowser.Find(t.Context(), "", dir); found != socket {
		t.Errorf("found %q", found)
	}
	for _, path := range []string{dead, silent.Addr().String(), otherProtocol.Addr().String(), filepath.Join(dir, "none")} {
		if found := sshbrowser.Find(t.Context(), path, ""); found != "" {
			t.Errorf("%s counts as a laptop", path)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := sshbrowser.Prepare(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dead); err == nil {
		t.Error("the dead socket is still there")
	}
	if _, err := os.Lstat(socket); err != nil {
		t.Error("the live socket is gone")
	}
}
