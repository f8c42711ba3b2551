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

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// account is a home folder with one credential, at a terminal.
type account struct {
	program string
	url     string // of the MCP server
	env     []string
}

// newAccount signs in, with more variables if given.
func newAccount(t *testing.T, env ...string) *account {
	t.Helper()
	const ttl = 59*time.Minute + 45*time.Second // what is left of it is as wide in the next 35 seconds
	srv := httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}, Tokens: oauthtest.Tokens{TTL: ttl}})
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	dir := fmt.Sprintf("/tmp/mcp-login-%010d", rand.Uint32()) // its length decides where lines wrap
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &account{
		program: filepath.Join(dir, "mcp-login"), url: srv.URL + "/mcp",
		env: []string{"HOME=" + dir, "PATH=" + dir, "SHELL=/bin/bash"},
	}
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(os.Args[0], p.program)); err != nil {
		t.Fatal(err)
	}
	login := exec.Command(p.program, "login", "notion", p.url)
	login.Env = append(slices.Clone(p.env), env...)
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// types runs a command at a terminal and returns it when the command has ended.
func (p *account) types(t *testing.T, line string, cols, rows int, env ...string) *terminaltest.Terminal {
	t.Helper()
	cmd := exec.Command(p.program, strings.Fields(strings.ReplaceAll(line, "URL", p.url))...)
	cmd.Env = append(slices.Clone(p.env), env...)
	x := terminaltest.Start(t, cmd, cols, rows)
	_ = cmd.Wait() // many of these fail, as they should
	<-x.Over
	return x
}

// screens are what a person meets first. URL is the address of the MCP server.
var screens = map[string]string{
	"overview": "", "help": "help", "help-login": "login --help", "unknown-command": "lgoin", "unknown-flag": "login notion --scoep x",
	"bad-value": "login notion --wait soon", "not-signed-in": "token notoin", "status": "status notion", "status-table": "status",
	"unreachable": "login linear http://127.0.0.1:1/mcp", "signed-in": "login notion URL --flow device --force", "signed-out": "logout nope",
}

// changing are the parts of a screen that differ from run to run.
var changing = regexp.MustCompile(`127\.0\.0\.1:\d\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|(in|ago)? ?\d+[hms]\d*[ms]?\d*s?( ago)?|\S*-\d{10}/\S+|sha256:\w+|client-[A-Z0-9]{8,}|(/tmp|file:/)\S+`)

// TestScreens: the screens at a small and a large terminal. Colors change no
// letter; without them the screen has no symbol either.
func TestScreens(t *testing.T) {
	p := newAccount(t)
	for _, size := range []struct {
		name       string
		cols, rows int
	}{{"80x24", 80, 24}, {"120x40", 120, 40}} {
		for name, line := range screens {
			x := p.types(t, line, size.cols, size.rows, "TERM=xterm-256color")
			terminaltest.Golden(t, "testdata/screen/"+name+"-"+size.name+".golden", shown(x))
			for _, plain := range []string{"TERM=dumb", "TERM=xterm-256color NO_COLOR=1"} {
				x := p.types(t, line, size.cols, size.rows, strings.Fields(plain)...)
				if raw := x.Raw.String(); strings.ContainsAny(raw, "\x1b✗✓") {
					t.Errorf("%s with %s: %q", name, plain, raw)
				}
			}
		}
	}
}

// TestLockedScreen: a store with a passphrase that nothing supplies says that it
// is locked and what opens it.
func TestLockedScreen(t *testing.T) {
	p := newAccount(t, "MCP_LOGIN_KEEPER=passphrase", "MCP_LOGIN_PASSPHRASE=correct horse battery")
	for size, cols := range map[string]int{"80x24": 80, "120x40": 120} {
		terminaltest.Golden(t, "testdata/screen/locked-"+size+".golden", shown(p.types(t, "token notion", cols, cols/4, "TERM=xterm-256color")))
	}
}

// shown is the screen without what differs from run to run.
func shown(x *terminaltest.Terminal) string {
	var lines []string
	for l := range strings.SplitSeq(changing.ReplaceAllString(x.Screen(), "…"), "\n") {
		lines = append(lines, strings.TrimRight(l, " \x00"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// TestScreenColors: errors, commands to run and titles stand out on dark and on
// light terminals, which the pictures show.
func TestScreenColors(t *testing.T) {
	p := newAccount(t)
	for theme, colors := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
		for name, title := range map[string]string{"not-signed-in": "an error and its hints", "overview": "the most used commands", "unknown-flag": "a wrong flag"} {
			x := p.types(t, screens[name], 80, 24, "TERM=xterm-256color")
			terminaltest.Golden(t, "testdata/screen/"+name+"-"+theme+".svg", terminaltest.SVG(x.VT, colors, title))
		}
	}
	x := p.types(t, screens["not-signed-in"], 80, 24, "TERM=xterm-256color")
	if raw := x.Raw.String(); !strings.Contains(raw, "\x1b[31m✗ mcp-login: \x1b[m") || !strings.Contains(raw, "\x1b[2mhint: \x1b[m\x1b[1m") {
		t.Errorf("no styles in %q", raw)
	}
	if raw := p.types(t, "--help", 80, 24, "TERM=xterm-256color").Raw.String(); !strings.Contains(raw, "\x1b[1mSIGN IN\x1b[m") {
		t.Errorf("no title stands out in %q", raw)
	}
}
