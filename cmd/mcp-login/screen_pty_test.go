//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// account is a home folder with one credential, at a terminal.
type account struct {
	program string
	url     string            // of the MCP server
	hosts   map[string]string // of all servers, by profile name
	env     []string
}

// newAccount signs in, with additional variables.
func newAccount(t *testing.T, env ...string) *account {
	t.Helper()
	dir := fmt.Sprintf("/tmp/mcp-login-%010d", rand.Uint32()) // its length affects line wrapping
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &account{program: filepath.Join(dir, "mcp-login"), env: []string{"HOME=" + dir, "PATH=" + dir, "SHELL=/bin/bash"}, hosts: map[string]string{}}
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(os.Args[0], p.program)); err != nil {
		t.Fatal(err)
	}
	p.url = p.signIn(t, "notion", oauthtest.Tokens{}, env...)
	return p
}

// signIn signs in to another server as the profile name, and returns the server's
// URL.
func (p *account) signIn(t *testing.T, name string, tokens oauthtest.Tokens, env ...string) string {
	t.Helper()
	tokens.TTL = 59*time.Minute + 45*time.Second // the remaining lifetime has the same width for the next 35 seconds
	srv := httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}, Tokens: tokens})
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	p.run(t, "login "+name+" "+srv.URL+"/mcp", env...)
	p.hosts[name] = srv.Listener.Addr().String()
	return srv.URL + "/mcp"
}

// run runs a command that succeeds.
func (p *account) run(t *testing.T, line string, env ...string) {
	t.Helper()
	cmd := exec.Command(p.program, strings.Fields(line)...)
	cmd.Env = append(slices.Clone(p.env), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// runAtTerminal runs a command at a terminal, and waits until it has exited.
func (p *account) runAtTerminal(t *testing.T, line string, cols, rows int, env ...string) *terminaltest.Terminal {
	t.Helper()
	cmd := exec.Command(p.program, strings.Fields(strings.ReplaceAll(line, "URL", p.url))...)
	cmd.Env = append(slices.Clone(p.env), env...)
	x := terminaltest.Start(t, cmd, cols, rows)
	_ = cmd.Wait() // many of these fail, as expected
	<-x.Over
	return x
}

// screens are the most frequent screens, by the command that shows them. URL is
// replaced by the URL of the MCP server.
var screens = map[string]string{
	"overview": "", "help": "help", "help-login": "login --help", "help-agent": "agent --help",
	"unknown-command": "lgoin", "unknown-flag": "login notion --scoep x", "bad-value": "login notion --wait soon", "missing": "exec notion",
	"not-signed-in": "token notoin", "unreachable": "login files http://127.0.0.1:1/mcp", "signed-out": "logout nope",
	"status": "status notion", "status-table": "status", "status-due": "status --min-ttl 2h", "status-long": "status notion --long",
	"signed-in": "login notion URL --flow device --force",
}

// TestScreens: the screens at a small and a large terminal, in dark and light
// colors, and without color. Without color the text is the same, and no symbols are
// left.
func TestScreens(t *testing.T) {
	p := newAccount(t)
	p.signIn(t, "linear", oauthtest.Tokens{})
	p.signIn(t, "sentry", oauthtest.Tokens{NoRefresh: true})
	for name, line := range screens {
		p.golden(t, name, func(cols, rows int, env ...string) *terminaltest.Terminal {
			return p.runWithFreshTokens(t, line, cols, rows, env...)
		})
	}
}

// TestLockedScreen: if no passphrase is available for the store, the screen says
// that it is locked and how to unlock it.
func TestLockedScreen(t *testing.T) {
	p := newAccount(t, "MCP_LOGIN_KEEPER=passphrase", "MCP_LOGIN_PASSPHRASE=correct horse battery")
	for name, line := range map[string]string{"locked": "token notion", "locked-status": "store status"} {
		p.golden(t, name, func(cols, rows int, env ...string) *terminaltest.Terminal {
			return p.runAtTerminal(t, line, cols, rows, env...)
		})
	}
}

// TestEmptyScreen: before the first sign-in, status says how to start.
func TestEmptyScreen(t *testing.T) {
	p := newAccount(t)
	p.run(t, "clear notion")
	p.golden(t, "empty", func(cols, rows int, env ...string) *terminaltest.Terminal {
		return p.runAtTerminal(t, "status", cols, rows, env...)
	})
}

// golden compares screens with their golden files.
func (p *account) golden(t *testing.T, name string, show func(cols, rows int, env ...string) *terminaltest.Terminal) {
	t.Helper()
	x := show(120, 40, "TERM=xterm-256color")
	terminaltest.Golden(t, "testdata/screen/"+name+"-120x40.golden", p.screenText(x, 120, 40))
	x = show(80, 24, "TERM=xterm-256color")
	text := p.screenText(x, 80, 24)
	terminaltest.Golden(t, "testdata/screen/"+name+"-80x24.golden", text)
	vt := terminaltest.Show(80, 24, p.normalized(x))
	for theme, colors := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
		terminaltest.Golden(t, "testdata/screen/"+name+"-"+theme+".svg", terminaltest.SVG(vt, colors, "the screen "+name))
	}
	want := symbols.ReplaceAllString(text, "")
	if _, after, prompts := strings.Cut(want, "\nflow: "); prompts { // without color the prompt stays as text
		_, want, _ = strings.Cut(after, "\n")
	}
	for _, plain := range []string{"TERM=dumb", "TERM=xterm-256color NO_COLOR=1"} {
		x := show(80, 24, strings.Fields(plain)...)
		if raw := x.Raw.String(); strings.ContainsAny(raw, "\x1b✗✓") {
			t.Errorf("%s with %s: %q", name, plain, raw)
		}
		if got := p.screenText(x, 80, 24); !strings.HasSuffix(got, want) {
			t.Errorf("%s with %s:\n%s\nwant\n%s", name, plain, got, want)
		}
	}
}

// symbols are the prefixes of messages in color.
var symbols = regexp.MustCompile(`(?m)^[✗✓!] `)

// screenText returns the text on the screen.
func (p *account) screenText(x *terminaltest.Terminal, cols, rows int) string {
	var lines []string
	for l := range strings.SplitSeq(terminaltest.Show(cols, rows, p.normalized(x)).String(), "\n") {
		lines = append(lines, strings.TrimRight(l, " \x00"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// runWithFreshTokens is types for a table whose durations must all have the width
// of those in the golden file: of tokens issued less than 35 seconds ago.
func (p *account) runWithFreshTokens(t *testing.T, line string, cols, rows int, env ...string) (x *terminaltest.Terminal) {
	t.Helper()
	await.True(t, "the tokens are new", func() bool {
		x = p.runAtTerminal(t, line, cols, rows, env...)
		if !regexp.MustCompile(`in (59m(\ds)?|58m\w*)  `).MatchString(x.Raw.String()) {
			return true
		}
		for name := range p.hosts {
			p.run(t, "login "+name+" --force")
		}
		return false
	})
	return x
}

// volatileParts are the parts of a screen that differ from run to run, with their
// replacements in the golden files.
var volatileParts = []struct{ pattern, with string }{
	{`http://127\.0\.0\.1:\d{5}`, "https://mcp.example.com"},
	{`127\.0\.0\.1:\d{5}`, "mcp.example.com"},
	{`/tmp/mcp-login-\d{10}`, "/home/ada"},
	{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "2026-01-02T15:04:05Z"},
	{`\bin 5[89]m\w*;`, "in 59m59s;"},
	{`\(in \w+\)`, "(in 59m59s)"},
	{`\(\w+ ago\)`, "(2s ago)"},
	{`\b59m\d\ds\b`, "59m59s"},
	{`sha256:\w{12}`, "sha256:0123456789ab"},
	{`client-[A-Z0-9]{20,}`, "client-EXAMPLE"},
}

// normalized returns the command line and all output, without the parts that differ
// from run to run. The names of servers are as long as their addresses.
func (p *account) normalized(x *terminaltest.Terminal) string {
	output := "$ " + terminaltest.Typed(x.Cmd) + "\r\n" + x.Raw.String()
	for name, address := range p.hosts {
		output = strings.ReplaceAll(output, "http://"+address, "https://"+servers[name])
		output = strings.ReplaceAll(output, address, servers[name])
	}
	for _, c := range volatileParts {
		output = regexp.MustCompile(c.pattern).ReplaceAllString(output, c.with)
	}
	return output
}

// servers are the names of servers in the golden files.
var servers = map[string]string{"notion": "mcp.notion.com", "linear": "mcp.linear.app", "sentry": "mcp.sentry.dev"}

// TestScreenColors: errors, commands to run and titles are highlighted.
func TestScreenColors(t *testing.T) {
	p := newAccount(t)
	x := p.runAtTerminal(t, screens["not-signed-in"], 80, 24, "TERM=xterm-256color")
	if raw := x.Raw.String(); !strings.Contains(raw, "\x1b[31m✗ mcp-login: \x1b[m") || !strings.Contains(raw, "\x1b[2mhint: \x1b[m\x1b[1m") {
		t.Errorf("no styles in %q", raw)
	}
	if raw := p.runAtTerminal(t, "--help", 80, 24, "TERM=xterm-256color").Raw.String(); !strings.Contains(raw, "\x1b[1mSIGN IN\x1b[m") {
		t.Errorf("no title is highlighted in %q", raw)
	}
	if raw := p.runAtTerminal(t, "status notion", 80, 24, "TERM=xterm-256color").Raw.String(); !strings.Contains(raw, "\x1b[32mvalid\x1b[m") {
		t.Errorf("the state is not highlighted in %q", raw)
	}
}

// TestSettingsFitTheTerminal: the origin of a long value stands below it, not where the
// terminal breaks the line.
func TestSettingsFitTheTerminal(t *testing.T) {
	p := newAccount(t)
	folder := "/home/ada/" + strings.Repeat("x", 39) // with its origin too wide
	screen := p.runAtTerminal(t, "config show --profile-dir "+folder, 80, 160, "TERM=xterm-256color").Screen()
	if want := "profile-dir                    " + folder + "\n" + strings.Repeat(" ", 31) + "flag --profile-dir\n"; !strings.Contains(regexp.MustCompile(` +\n`).ReplaceAllString(screen, "\n"), want) {
		t.Errorf("no %q in\n%s", want, screen)
	}
}
