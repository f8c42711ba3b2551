package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/browser"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// browserVariable names the socket of the laptop's browser on a remote host.
const browserVariable = "MCP_LOGIN_BROWSER_SOCK"

// laptop returns the socket at which the user's laptop answers; "": none does.
func (e *env) laptop() string {
	folder, err := e.dirs().Browsers()
	if err != nil {
		folder = "" // without a home folder only the variable names one
	}
	return sshbrowser.Find(context.Background(), e.getenv(browserVariable), folder)
}

type serveBrowserOptions struct {
	common
	socket, command string
	prepare         bool
}

func newBrowser(e *env) *cli.Command {
	var o serveBrowserOptions
	return e.command(&cli.Command{
		Name: "browser", Usage: "Open this machine's browser for sign-ins on a remote host",
		UsageText: "mcp-login browser",
		Description: "Run it on your laptop and forward its socket to the remote host with the ssh line that it prints; mcp-login ssh HOST does both. " +
			"A page names the hosts before each sign-in. It runs until you press Ctrl-C.",
		Flags: []cli.Flag{
			boolFlag("remote", "On the remote host: create the private folder, remove stale sockets, and print the path to forward to", &o.prepare),
			stringFlag("browser-sock", "`PATH` of the socket to serve (default: browser.sock in the runtime folder)", "", &o.socket),
			stringFlag("browser-command", "Open the browser with `COMMAND`; its %s, or its end, is replaced by the URL (default: BROWSER, else the system's browser)", "", &o.command),
		},
	}, &o.common, func(ctx context.Context, _ []string) error {
		if o.prepare {
			return e.prepareBrowser()
		}
		return runBrowser(ctx, e, o)
	})
}

// prepareBrowser makes the folder for the sockets of laptops and prints a path in
// it. Sshd makes the socket.
func (e *env) prepareBrowser() error {
	folder, err := e.userDir(e.dirs().Browsers())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return err
	}
	sshbrowser.Prune(folder)
	return e.answer(filepath.Join(folder, rand.Text()[:12]) + "\n")
}

func runBrowser(ctx context.Context, e *env, o serveBrowserOptions) error {
	path, err := o.socket, error(nil)
	if path == "" {
		if path, err = e.userDir(e.dirs().BrowserSocket()); err != nil {
			return err
		}
	}
	h, err := e.browserHelper(o.command, "The remote host")
	if err != nil {
		return err
	}
	l, remove, err := privsock.Listen(path)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", path, err)
	}
	defer remove()
	e.say("waiting for sign-ins at %s", path)
	e.say("next: forward it to HOST: %s", forwardLine(path))
	return h.Serve(ctx, l)
}

// forwardLine is the command that forwards a socket to HOST. A remote ~ is not
// expanded by ssh, so the remote host says the path.
func forwardLine(path string) string {
	return `ssh -R "$(ssh HOST mcp-login browser --remote)":` + suggest.Command{path}.String() + " HOST"
}

// browserHelper opens this machine's browser for the host that is named.
func (e *env) browserHelper(command, from string) (*sshbrowser.Helper, error) {
	b, err := browser.New(e.getenv, publicEnviron(os.Environ()), command)
	if err != nil {
		return nil, usagef("--browser-command: %w", err)
	}
	return &sshbrowser.Helper{Open: b.Open, From: from, Asked: func(server string, err error) {
		if err != nil {
			e.say("rejected a sign-in: %v", err)
			return
		}
		e.say("opened the browser to sign in at %s", server)
	}}, nil
}
