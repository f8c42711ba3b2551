package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/browser"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// browserVariable names the socket of the laptop's browser on a remote host.
const browserVariable = "MCP_LOGIN_BROWSER_SOCK"

// laptop returns the endpoint at which the user's laptop answers; "": none does.
func (e *call) laptop() string {
	folder, err := e.laptopFolder()
	if err != nil {
		folder = "" // without a home folder only the variable names one
	}
	return sshbrowser.Find(context.Background(), e.getenv(browserVariable), folder)
}

// laptopFolder is where this host finds the user's laptops.
func (e *call) laptopFolder() (string, error) {
	base, err := e.dirs().Browsers()
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	return sshbrowser.Folder(base, host), nil
}

type serveBrowserOptions struct {
	common
	socket, command string
	remote, forget  bool
	port            int
	options         cli.StringSlice
}

func newBrowser(e *call) *cli.Command {
	var o serveBrowserOptions
	return e.command(&cli.Command{
		Name: "browser", Usage: "Open this machine's browser for sign-ins on a remote host",
		ArgsUsage: "[HOST]", UsageText: "mcp-login browser devbox",
		Description: "Run it on your laptop, with your own ssh command; mcp-login ssh HOST does both. With HOST it prints the RemoteForward " +
			"line for your ssh_config, which stays the same. Without HOST it prints an ssh command that forwards a socket once. " +
			"A page names the hosts before each sign-in. It runs until you press Ctrl-C.",
		Flags: []cli.Flag{
			boolFlag("remote", "On the remote host: create the private folder, remove stale sockets, and print the path to forward to", &o.remote),
			&cli.IntFlag{Name: "remote-port", Usage: "With --remote: the `PORT` that ssh forwards; its secret is read from standard input", Destination: &o.port},
			boolFlag("forget", "Ask again before every sign-in, and exit", &o.forget),
			stringFlag("browser-sock", "`PATH` of the socket to serve (default: browser.sock in the runtime folder)", "", &o.socket),
			stringFlag("browser-command", "Open the browser with `COMMAND`; its %s, or its end, is replaced by the URL (default: BROWSER, else the system's browser)", "", &o.command),
			sshOptionFlag(&o.options),
		},
	}, &o.common, func(ctx context.Context, args []string) error {
		switch {
		case o.remote:
			return e.prepareBrowser(o.port)
		case o.forget:
			return e.forgetBrowserHosts()
		case len(args) > 0:
			return linkBrowser(ctx, e, o, args[0])
		}
		return runBrowser(ctx, e, o)
	})
}

// prepareBrowser makes the folder for laptops and prints a path in it, at which sshd
// makes a socket, or notes a port that ssh forwards.
func (e *call) prepareBrowser(port int) error {
	folder, err := e.userDir(e.laptopFolder())
	if err != nil {
		return err
	}
	path, err := sshbrowser.Prepare(folder)
	if err != nil {
		return err
	}
	if port != 0 {
		secret, err := bufio.NewReader(e.in).ReadString('\n')
		if err != nil {
			return fmt.Errorf("read the secret from standard input: %w", err)
		}
		return sshbrowser.Announce(folder, port, strings.TrimSpace(secret))
	}
	if runtime.GOOS == "windows" { // its sshd forwards no sockets
		path = sshbrowser.PortAnswer
	}
	return e.answer(path + "\n")
}

func (e *call) forgetBrowserHosts() error {
	path, err := e.dirs().BrowserMemory()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.say("the page asks before every sign-in")
	return nil
}

// runBrowser serves at a socket for any host.
func runBrowser(ctx context.Context, e *call, o serveBrowserOptions) error {
	if runtime.GOOS == "windows" {
		return exit.Usagef("browser: HOST is missing; ssh on Windows forwards no sockets")
	}
	path, err := o.socket, error(nil)
	if path == "" {
		if path, err = e.userDir(e.dirs().BrowserSocket()); err != nil {
			return err
		}
	}
	h, err := e.browserHelper(o.command, "")
	if err != nil {
		return err
	}
	l, remove, err := privsock.Listen(path)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", path, err)
	}
	defer remove()
	e.say("waiting for sign-ins at %s", path)
	// A remote ~ is not expanded by ssh, so the remote host says the path.
	e.say(`next: ssh -R "$(ssh HOST mcp-login browser --remote)":%s HOST`, suggest.Command{path})
	return h.Serve(ctx, l)
}

// linkBrowser serves one host at a port, and prints what forwards it. Sshd does not
// replace a socket that an ended connection left, so ssh_config cannot name one.
func linkBrowser(ctx context.Context, e *call, o serveBrowserOptions, host string) error {
	s, err := e.ssh(host, o.options.Value())
	if err != nil {
		return err
	}
	h, err := e.browserHelper(o.command, host)
	if err != nil {
		return err
	}
	link, err := sshbrowser.LinkTo(s.Links, host)
	if err != nil {
		return err
	}
	h.Secret = link.Secret
	l, err := netcheck.Listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(link.Local)))
	if err != nil {
		return fmt.Errorf("port %d is in use; another mcp-login browser may serve %s", link.Local, host)
	}
	if err := s.Announce(ctx, link); err != nil {
		return errors.Join(err, l.Close())
	}
	e.say("waiting for sign-ins on %s", host)
	e.say("next: ssh -R %s %s", link.Forward(), suggest.Command{host})
	e.say("or, for every connection, in ~/.ssh/config:")
	e.say("    Host %s", host)
	e.say("        RemoteForward 127.0.0.1:%d 127.0.0.1:%d", link.Remote, link.Local)
	return h.Serve(ctx, l)
}

// browserHelper opens this machine's browser for the host that is named; "": for any.
func (e *call) browserHelper(command, host string) (*sshbrowser.Helper, error) {
	b, err := browser.New(e.getenv, variables.Public(os.Environ()), command)
	if err != nil {
		return nil, exit.Usagef("--browser-command: %w", err)
	}
	h := &sshbrowser.Helper{Open: b.Open, From: host, Local: netcheck.IsLoopback(host), Asked: func(server string, err error) {
		if err != nil {
			e.say("rejected a sign-in: %v", err)
			return
		}
		e.say("opened the browser to sign in at %s", server)
	}}
	if host == "" {
		h.From = "The remote host" // nobody knows which, so nothing is remembered
		return h, nil
	}
	path, err := e.userDir(e.dirs().BrowserMemory())
	if err != nil {
		return nil, err
	}
	h.Memory = &sshbrowser.File{Path: path, Host: host}
	return h, nil
}
