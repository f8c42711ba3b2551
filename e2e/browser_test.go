//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// authLink is an authorization URL as the program prints it.
var authLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/auth\?[^\s\x1b]+`)

// recordingBrowser writes a program that records the URL that it opens, and returns the
// paths of the program and the record.
func (h *home) recordingBrowser() (path, note string) {
	h.t.Helper()
	path, note = filepath.Join(h.dir, "opener"), filepath.Join(h.dir, "opened")
	text := "#!/bin/sh\nprintf '%s' \"$*\" >'" + note + "'\n"
	if err := writeProgram(path, text); err != nil {
		h.t.Fatal(err)
	}
	return path, note
}

func TestBrowserLogin(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	opener, note := h.recordingBrowser()
	r := h.start("login", "box", o.mcp(), "--browser-command", opener)
	link := r.stderr.await(t, authLink)
	if opened, err := os.ReadFile(note); err != nil || string(opened) != link {
		t.Errorf("the browser opened %q, %v, but the program printed %q", opened, err, link)
	}
	if !strings.Contains(r.stderr.String(), "flow: browser, because a browser command is configured\n") {
		t.Errorf("the flow and the reason are not printed:\n%s", r.stderr)
	}

	c := startChromium(t)
	c.approve(link)
	if got := c.heading(); got != "You are signed in" {
		t.Errorf("the heading is %q", got)
	}
	if got := c.evaluate(`getComputedStyle(document.querySelector("main")).maxWidth`); got == "none" {
		t.Error("the content security policy of the page forbids its style")
	}
	c.takeScreenshots("signed-in")
	r.wait(0)
	if token := h.token("box"); !o.active(token) {
		t.Error("the server does not accept the token")
	}
	for _, resource := range o.observed().Resources {
		if resource != o.mcp() {
			t.Errorf("a request with resource %q (RFC 8707 §2)", resource)
		}
	}
}

func TestBrowserDenied(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	opener, _ := h.recordingBrowser()
	r := h.start("login", "box", o.mcp(), "--flow", "browser", "--browser-command", opener)
	c := startChromium(t)
	c.deny(r.stderr.await(t, authLink))
	if got := c.heading(); got != "Access was not granted" {
		t.Errorf("the heading is %q", got)
	}
	c.takeScreenshots("denied")
	r.wait(5)
	h.want(4, "token", "box")
}

// TestShortURL opens the short URL that redirects to the authorization URL.
func TestShortURL(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	h.env = append(h.env, "SSH_CONNECTION=192.0.2.7 50000 192.0.2.9 2222", "USER=ada")
	r := h.start("login", "box", o.mcp(), "--flow", "paste")
	local := r.stderr.await(t, regexp.MustCompile(`http://127\.0\.0\.1:\d+/\w+ `))
	port, _, _ := strings.Cut(strings.TrimPrefix(local, "http://127.0.0.1:"), "/")
	if want := "ssh -L " + port + ":127.0.0.1:" + port + " -p 2222 ada@192.0.2.9\n"; !strings.Contains(r.stderr.String(), want) {
		t.Errorf("the line %q is not printed:\n%s", want, r.stderr)
	}
	c := startChromium(t)
	c.approve(strings.TrimSpace(local))
	if got := c.heading(); got != "You are signed in" {
		t.Errorf("the heading is %q", got)
	}
	r.wait(0)
}

// signIn opens an authorization URL, signs in and consents, and returns the last page.
func (u *webUser) signIn(link string) page {
	u.t.Helper()
	at := u.submit(u.get(link), url.Values{"login": {"somebody"}, "password": {"any"}})
	return u.submit(at, nil)
}

// onOtherMachine makes the browser one on another machine: it cannot load redirects to
// this machine and stays at their URL.
func (u *webUser) onOtherMachine(o *oidc) *webUser {
	u.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != o.url {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return u
}

// redirectOnOtherMachine signs in with a browser that cannot reach this machine, and
// returns the URL of the redirect.
func (u *webUser) redirectOnOtherMachine(o *oidc, link string) string {
	u.t.Helper()
	u.onOtherMachine(o)
	at := u.submit(u.get(link), url.Values{"login": {"somebody"}, "password": {"any"}})
	var end string
	u.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != o.url {
			end = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	u.submit(at, nil)
	if end == "" {
		u.t.Fatal("the server did not redirect the browser")
	}
	return end
}

// terminal is a run of the program on a terminal.
type terminal struct {
	*running
	tty *os.File
}

// startAtTerminal starts the program on a separate terminal.
func (h *home) startAtTerminal(args ...string) *terminal {
	h.t.Helper()
	cmd := h.command(h.t.Context(), args...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	return h.startOnTerminal(cmd, 80)
}

// startOnTerminal starts a command on a separate terminal.
func (h *home) startOnTerminal(cmd *exec.Cmd, cols uint16) *terminal {
	h.t.Helper()
	r := &running{h: h, cmd: cmd, stderr: newOutputBuffer()}
	tty, err := pty.StartWithSize(r.cmd, &pty.Winsize{Rows: 24, Cols: cols})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = tty.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			_, _ = r.stderr.Write(buf[:n])
			if err != nil { // EIO after the program has exited
				break
			}
		}
		_ = r.cmd.Wait() // the process state has the exit code
		close(r.stderr.closed)
	}()
	return &terminal{r, tty}
}

func (t *terminal) paste(text string) {
	t.h.t.Helper()
	if _, err := t.tty.WriteString(text); err != nil {
		t.h.t.Fatal(err)
	}
}

func TestPasteLogin(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	for _, tt := range []struct {
		name   string
		around func(address string) string
	}{
		{"typed", func(a string) string { return a + "\r" }},
		{"wrapped", func(a string) string { return a[:40] + "\r" + a[40:80] + "\r" + a[80:] + "\r" }},
		{"bracketed", func(a string) string { return "\x1b[200~\"" + a + "\"\x1b[201~" }}, // without Enter
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			r := h.startAtTerminal("login", tt.name, o.mcp(), "--flow", "paste")
			r.stderr.await(t, regexp.MustCompile(`paste it here> `))
			link := r.stderr.await(t, authLink)
			end := newWebUser(t).redirectOnOtherMachine(o, link)

			r.paste(link + "\r") // users paste the wrong URL
			r.stderr.await(t, regexp.MustCompile(`this is the URL to open`))
			r.paste(strings.Replace(end, "state=", "state=x", 1) + "\r")
			r.stderr.await(t, regexp.MustCompile(`this answer belongs to another sign-in`))
			r.paste(tt.around(end))
			r.wait(0)
			code, err := url.Parse(end)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(r.stderr.String(), code.Query().Get("code")) {
				t.Error("the screen shows the pasted code")
			}
			if token := h.token(tt.name); !o.active(token) {
				t.Error("the server does not accept the token")
			}
		})
	}
}

// TestBrowserFinishesBeforePaste: the browser finishes the sign-in while the program
// still waits for pasted text. The terminal settings are restored.
func TestBrowserFinishesBeforePaste(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	const script = `before=$(stty -g); mcp-login login box "$1" --flow paste; code=$?
[ "$(stty -g)" = "$before" ] && echo "the terminal is as before, code $code"`
	r := h.startAtTerminal("sh", "-c", script, "sh", o.mcp())
	r.stderr.await(t, regexp.MustCompile(`paste it here> `))
	if at := newWebUser(t).signIn(r.stderr.await(t, authLink)); !strings.Contains(at.body, "You are signed in") {
		t.Errorf("the browser ended at %s:\n%s", at.url, at.body)
	}
	r.wait(0)
	if !strings.Contains(r.stderr.String(), "the terminal is as before, code 0") {
		t.Errorf("the terminal settings were not restored:\n%s", r.stderr)
	}
}

// TestInterruptedPaste interrupts a sign-in with Ctrl-C.
func TestInterruptedPaste(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	r := h.startAtTerminal("login", "box", o.mcp(), "--flow", "paste")
	r.stderr.await(t, regexp.MustCompile(`paste it here> `))
	r.paste("\x03")
	r.wait(130)
}

func TestRedirectFlags(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	busy := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	got := h.want(1, "login", "box", o.mcp(), "--flow", "paste", "--redirect-port", busy)
	if !strings.Contains(got.stderr, "redirect port "+busy+" is in use by another program\nhint: ") {
		t.Errorf("the error does not explain that the port is in use: %s", got.stderr)
	}
	h.want(2, "login", "box", o.mcp(), "--flow", "paste", "--redirect-host", "0.0.0.0")
	h.want(2, "login", "box", o.mcp(), "--flow", "paste", "--auth-param", "state=x")
	h.want(2, "login", "box", o.mcp(), "--flow", "paste", "--auth-param", "=x")

	r := h.start("login", "box", o.mcp(), "--flow", "paste", "--redirect-host", "localhost", "--redirect-path", "/oauth/back",
		"--auth-param", "ui_locales=de", "--auth-param", "login_hint=a,b")
	link := r.stderr.await(t, authLink)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("ui_locales") != "de" || q.Get("login_hint") != "a,b" {
		t.Errorf("--auth-param was not sent: %v", q)
	}
	at := newWebUser(t).signIn(link)
	if at.url.Hostname() != "localhost" || at.url.Path != "/oauth/back" || !strings.Contains(at.body, "You are signed in") {
		t.Errorf("the browser ended at %s:\n%s", at.url, at.body)
	}
	r.wait(0)
}

// TestRegistrationWorksWithAnotherPort signs in again while the registered port is in
// use: any other port works (RFC 8252 §7.3).
func TestRegistrationWorksWithAnotherPort(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	port := ""
	for i := range 3 {
		r := h.start("login", "box", o.mcp(), "--flow", "paste", "--force")
		at := newWebUser(t).signIn(r.stderr.await(t, authLink))
		if !strings.Contains(at.body, "You are signed in") {
			t.Fatalf("sign-in %d ended at %s:\n%s", i, at.url, at.body)
		}
		r.wait(0)
		switch {
		case i == 0:
			port = at.url.Port()
		case i == 1 && at.url.Port() != port:
			t.Errorf("the second sign-in used port %s, want the registered port %s", at.url.Port(), port)
		case i == 2 && at.url.Port() == port:
			t.Errorf("the third sign-in used port %s, which is in use", port)
		}
		if i == 1 {
			l, err := net.Listen("tcp", "127.0.0.1:"+port)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
		}
	}
	if n := o.observed().Registrations; n != 1 {
		t.Errorf("%d registrations, want 1", n)
	}
	// Another host requires another redirect URI, which requires another registration.
	r := h.start("login", "box", o.mcp(), "--flow", "paste", "--redirect-host", "localhost", "--force")
	newWebUser(t).signIn(r.stderr.await(t, authLink))
	r.wait(0)
	if n := o.observed().Registrations; n != 2 {
		t.Errorf("%d registrations, want 2", n)
	}
}

// TestRedirectToAnotherHost: the browser ends at another host, and the user pastes its
// URL.
func TestRedirectToAnotherHost(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newHome(t)
	const relay = "https://relay.example/back"
	if got := h.want(1, "login", "box", o.mcp(), "--flow", "paste", "--redirect-url", relay); !strings.Contains(got.stderr, "no terminal is available to paste the address into") {
		t.Errorf("without a terminal: %s", got.stderr)
	}
	r := h.startAtTerminal("login", "box", o.mcp(), "--flow", "paste", "--redirect-url", relay)
	end := newWebUser(t).redirectOnOtherMachine(o, r.stderr.await(t, authLink))
	if !strings.HasPrefix(end, relay+"?") {
		t.Errorf("the browser ended at %s", end)
	}
	r.stderr.await(t, regexp.MustCompile(`paste it here> `))
	r.paste(fmt.Sprintf("  '%s' \r", end))
	r.wait(0)
}
