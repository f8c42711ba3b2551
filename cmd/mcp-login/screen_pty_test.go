//go:build linux

package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// account is a home folder with one credential, at a terminal.
type account struct {
	program string
	env     []string
}

func newAccount(t *testing.T) *account {
	t.Helper()
	srv := httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}})
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	dir := t.TempDir()
	p := &account{program: filepath.Join(dir, "mcp-login"), env: []string{"HOME=" + dir, "PATH=" + dir, "MCP_LOGIN_KEEPER=key-file"}}
	if err := os.Symlink(os.Args[0], p.program); err != nil {
		t.Fatal(err)
	}
	login := exec.Command(p.program, "login", "notion", srv.URL+"/mcp")
	login.Env = p.env
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// types runs a command at a terminal and returns it when the command has ended.
func (p *account) types(t *testing.T, line string, cols, rows int, env ...string) *terminaltest.Terminal {
	t.Helper()
	cmd := exec.Command(p.program, strings.Fields(line)...)
	cmd.Env = append(p.env, env...)
	x := terminaltest.Start(t, cmd, cols, rows)
	_ = cmd.Wait() // many of these fail, as they should
	<-x.Over
	return x
}

// screens are what a person meets first.
var screens = map[string]string{
	"overview": "", "help": "help", "help-login": "login --help", "unknown-command": "lgoin", "unknown-flag": "login notion --scoep x",
	"bad-value": "login notion --wait soon", "not-signed-in": "token notoin", "status": "status notion",
}

// changing are the parts of a screen that differ from run to run.
var changing = regexp.MustCompile(`127\.0\.0\.1:\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|(in|ago)? ?\d+[hms]\d*[ms]?\d*s?( ago)?|sha256:\w+|client-[A-Z0-9]{8,}|(/tmp|file:/)\S+`)

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
			var lines []string
			for l := range strings.SplitSeq(changing.ReplaceAllString(x.Screen(), "…"), "\n") {
				lines = append(lines, strings.TrimRight(l, " \x00"))
			}
			terminaltest.Golden(t, "testdata/screen/"+name+"-"+size.name+".golden", strings.TrimRight(strings.Join(lines, "\n"), "\n")+"\n")
			for _, plain := range []string{"TERM=dumb", "TERM=xterm-256color NO_COLOR=1"} {
				x := p.types(t, line, size.cols, size.rows, strings.Fields(plain)...)
				if raw := x.Raw.String(); strings.ContainsAny(raw, "\x1b✗✓") {
					t.Errorf("%s with %s: %q", name, plain, raw)
				}
			}
		}
	}
}

// TestScreenColors: errors, commands to run and titles stand out on dark and on
// light terminals, which the pictures show.
func TestScreenColors(t *testing.T) {
	p := newAccount(t)
	x := p.types(t, "token notoin", 80, 24, "TERM=xterm-256color")
	for theme, colors := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
		terminaltest.Golden(t, "testdata/screen/not-signed-in-"+theme+".svg", terminaltest.SVG(x.VT, colors, "an error and its hints"))
	}
	if raw := x.Raw.String(); !strings.Contains(raw, "\x1b[31m✗ mcp-login: \x1b[m") || !strings.Contains(raw, "\x1b[2mhint: \x1b[m\x1b[1m") {
		t.Errorf("no styles in %q", raw)
	}
	if raw := p.types(t, "--help", 80, 24, "TERM=xterm-256color").Raw.String(); !strings.Contains(raw, "\x1b[1mSIGN IN\x1b[m") {
		t.Errorf("no title stands out in %q", raw)
	}
}
