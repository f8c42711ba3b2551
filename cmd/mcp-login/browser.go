package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/browser"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

type browserOptions struct {
	common
	socket, command string
	remote, forget  bool
	port            int
	options         list
}

func newBrowser(e *call) *cli.Command {
	var o browserOptions
	return e.command(&cli.Command{
		Name: "browser", Usage: "Open this machine's browser for sign-ins on a remote host",
		ArgsUsage: "[HOST]", UsageText: "mcp-login browser devbox",
		Description: "Run it on your laptop beside your ssh command. For both, use mcp-login ssh HOST.\n\nWith HOST, it prints the RemoteForward " +
			"line for your ssh_config, which is always the same. Without HOST, it prints an ssh command that forwards a socket once. " +
			"Before each sign-in, a page asks you and names the hosts. Press Ctrl-C to stop.",
		Flags: []cli.Flag{
			boolFlag("remote", "On the remote host: print the path to forward to. This also creates the private folder and removes stale sockets", &o.remote),
			intFlag("remote-port", "With --remote: the `PORT` that ssh forwards. Its secret is read from standard input", 0, &o.port),
			boolFlag("forget", "Ask again before every sign-in, and exit", &o.forget),
			stringFlag("browser-sock", "`PATH` of the socket to serve (default: browser.sock in the runtime folder)", "", &o.socket),
			browserCommandFlag(&o.command),
			sshOptionFlag(&o.options),
		},
	}, &o.common, func(ctx context.Context, args []string) error {
		switch {
		case o.remote:
			return runBrowserRemote(ctx, e, o.port)
		case o.forget:
			return runBrowserForget(e)
		case len(args) > 0:
			return runBrowserLink(ctx, e, o, args[0])
		}
		return runBrowser(ctx, e, o)
	})
}

func runBrowserRemote(ctx context.Context, e *call, port int) error {
	folder, err := e.dirs().Writable(e.open(new(common)).LaptopFolder())
	if err != nil {
		return err
	}
	answer, err := sshbrowser.PrepareRemote(folder, port, e.streams().Input(ctx))
	if err != nil {
		return err
	}
	return e.answer(answer)
}

func runBrowserForget(e *call) error {
	path, err := e.dirs().BrowserMemory()
	if err != nil {
		return err
	}
	if err := sshbrowser.Forget(path); err != nil {
		return err
	}
	e.say("the page asks before every sign-in")
	return nil
}

// runBrowser serves any host on a socket.
func runBrowser(ctx context.Context, e *call, o browserOptions) error {
	if runtime.GOOS == "windows" {
		return exit.Usagef("browser: HOST is missing; ssh on Windows forwards no sockets")
	}
	if e.Typed("ssh-option") {
		return exit.Usagef("--ssh-option has no effect without HOST")
	}
	path, err := o.socket, error(nil)
	if path == "" {
		if path, err = e.dirs().Writable(e.dirs().BrowserSocket()); err != nil {
			return err
		}
	}
	h, err := browserHelper(e, o.command, "")
	if err != nil {
		return err
	}
	l, remove, err := privsock.Listen(path)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", path, err)
	}
	defer remove()
	e.say("waiting for sign-ins at %s", path)
	// ssh does not expand a remote ~, so the remote host prints the path.
	e.say(`next: ssh -R "$(ssh HOST mcp-login browser --remote)":%s HOST`, suggest.Command{path})
	return h.Serve(ctx, l)
}

// runBrowserLink serves one host on a port, and prints the options that forward
// it.
func runBrowserLink(ctx context.Context, e *call, o browserOptions, host string) error {
	s, err := sshTo(e, host, o.options)
	if err != nil {
		return err
	}
	h, err := browserHelper(e, o.command, host)
	if err != nil {
		return err
	}
	l, link, err := s.Link(ctx, h)
	if err != nil {
		return err
	}
	e.say("waiting for sign-ins on %s", host)
	for _, line := range link.Usage(host) {
		e.say("%s", line)
	}
	return h.Serve(ctx, l)
}

// browserHelper opens this machine's browser for the named host; "": for any.
func browserHelper(e *call, command, host string) (*sshbrowser.Helper, error) {
	b, err := browser.New(e.getenv, variables.Public(os.Environ()), command)
	if err != nil {
		return nil, exit.Usagef("--browser-command: %w", err)
	}
	memory := ""
	if host != "" {
		if memory, err = e.dirs().Writable(e.dirs().BrowserMemory()); err != nil {
			return nil, err
		}
	}
	return sshbrowser.NewHelper(b.Open, host, memory, e.say), nil
}
