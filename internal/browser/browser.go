// Package browser opens a URL in a browser on this machine, or says why it
// cannot. It must not know what the URL is for, read the environment by itself,
// or talk to people: the caller passes in the environment and shows the error.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/oauth"
)

// settleTime is how long a program that opens a browser is watched: if it finds
// none, it exits within this time. One that is still running is a browser, or
// waits for one.
const settleTime = 1500 * time.Millisecond

// maxLink is the longest URL passed to a program, in bytes. Windows takes
// 32,767 characters for a whole command line, some browsers 8,192.
const maxLink = 8192

// errNoBrowser: nothing on this machine opened a browser.
var errNoBrowser = errors.New("cannot open a browser")

// Browser starts a browser by an argument vector, never through a shell: the
// URL comes from a server (CVE-2025-6514).
type Browser struct {
	goos    string
	wsl     bool
	getenv  func(string) string
	environ []string      // environment of the browser
	command []string      // nil: the system's programs
	settle  time.Duration // how long a program is watched
}

// New returns this machine's browser. It is started with the variables in
// environ, by command: a program and its arguments, with the URL in place of %s
// or at the end. Without a command, it uses the programs that BROWSER names and
// those that the system has.
func New(getenv func(string) string, environ []string, command string) (*Browser, error) {
	b := &Browser{goos: runtime.GOOS, wsl: isWSL(), getenv: getenv, environ: environ, settle: settleTime}
	if command == "" {
		return b, nil
	}
	var err error
	b.command, err = splitCommand(command)
	return b, err
}

// Open opens a browser, or says why none was opened.
func (b *Browser) Open(ctx context.Context, link string) error {
	safe, err := browserURL(link)
	if err != nil {
		return err
	}
	var tried []string
	for _, argv := range b.candidates() {
		path, err := exec.LookPath(argv[0])
		if err != nil {
			tried = append(tried, err.Error())
			continue
		}
		argv = withURL(argv, safe)
		if err = b.start(ctx, path, argv[1:]); err == nil || ctx.Err() != nil {
			return err
		}
		tried = append(tried, fmt.Sprintf("%s: %v", filepath.Base(path), err))
	}
	if b.command == nil && len(tried) > 1 {
		return errNoBrowser // a list of programs that are not installed is not helpful
	}
	return fmt.Errorf("%w: %s", errNoBrowser, strings.Join(tried, "; "))
}

// candidates returns the programs that may open a browser, best first, and
// their arguments.
func (b *Browser) candidates() [][]string {
	if b.command != nil {
		return [][]string{b.command}
	}
	switch b.goos {
	case "windows":
		root := b.getenv("SystemRoot")
		return [][]string{{filepath.Join(root, "System32", "rundll32.exe"), "url.dll,FileProtocolHandler"}}
	case "darwin":
		return append(b.named(), []string{"/usr/bin/open"})
	}
	found := b.named()
	if b.wsl {
		found = append(found, []string{"wslview"},
			[]string{"/mnt/c/Windows/System32/rundll32.exe", "url.dll,FileProtocolHandler"},
			[]string{"rundll32.exe", "url.dll,FileProtocolHandler"})
	}
	return append(found, []string{"xdg-open"}, []string{"gio", "open"}, []string{"x-www-browser"})
}

// named returns the programs in BROWSER, which Unix separates by colons.
func (b *Browser) named() [][]string {
	var found [][]string
	for line := range strings.SplitSeq(b.getenv("BROWSER"), ":") {
		if argv, err := splitCommand(line); err == nil {
			found = append(found, argv)
		}
	}
	return found
}

// withURL replaces %s by the URL, else appends it.
func withURL(argv []string, link string) []string {
	out, placed := make([]string, 0, len(argv)+1), false
	for i, word := range argv {
		if i > 0 && strings.Contains(word, "%s") {
			word, placed = strings.ReplaceAll(word, "%s", link), true
		}
		out = append(out, word)
	}
	if !placed {
		out = append(out, link)
	}
	return out
}

// start runs a program that opens a browser and watches it for a moment. The
// browser outlives this process, and Ctrl-C here does not reach it.
func (b *Browser) start(ctx context.Context, path string, args []string) error {
	cmd := subprocess.WithoutInput(context.WithoutCancel(ctx), path, args...) // the user's browser must not be killed
	cmd.Env = b.environ
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // reaps the program if it exits before this process
	select {
	case err := <-ended:
		return err
	case <-time.After(b.settle):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// browserURL returns a URL that is safe to pass to a program: https, or http to
// this machine; parsed and serialized again, so that no part of it can be an
// option, a second argument or, in a careless script, a command.
func browserURL(link string) (string, error) {
	bare, query, _ := strings.Cut(link, "?")
	u, err := oauth.CheckURL(bare)
	if err != nil {
		return "", fmt.Errorf("authorization %w", err)
	}
	if strings.ContainsFunc(u.Host, unusualInHost) {
		return "", errors.New("the host of the authorization URL does not resolve")
	}
	if len(link) > maxLink {
		return "", fmt.Errorf("authorization URL is longer than %d characters", maxLink)
	}
	if strings.ContainsFunc(query, func(r rune) bool { return r == '#' || r < utf8.RuneSelf && !ascii.Visible(r) }) {
		return "", errors.New("authorization URL contains a space, control character or fragment")
	}
	safe := url.URL{Scheme: u.Scheme, Host: u.Host}
	out := safe.String() + escapeUnusual(u.EscapedPath())
	if query != "" {
		out += "?" + escapeUnusual(query)
	}
	return out, nil
}

func unusualInHost(r rune) bool {
	return !(ascii.Alphanumeric(r) || strings.ContainsRune("-._:[]", r))
}

// escapeUnusual percent-encodes characters that some program might interpret:
// quotes, dollar signs, brackets, semicolons. The URL stays equivalent.
func escapeUnusual(s string) string {
	const bare = "-._~/%&=+:@,?"
	var b strings.Builder
	for _, c := range []byte(s) {
		if ascii.Alphanumeric(rune(c)) || strings.IndexByte(bare, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
