package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/browser"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// browserOptions say how the flows that need a browser go about it.
type browserOptions struct {
	redirect   authcode.Redirect
	command    string
	never      bool
	assumePKCE bool
	params     cli.StringSlice
}

func (o *browserOptions) flags() []cli.Flag {
	return grouped(groupBrowser,
		stringFlag("browser-command", "Open the browser with `COMMAND`; its %s, or its end, is replaced by the URL (default: BROWSER, else the system's browser)", "", &o.command),
		boolFlag("no-browser", "Print the address instead of opening a browser", &o.never),
		&cli.IntFlag{Name: "redirect-port", Usage: "`PORT` that the browser returns to (default: any free one)", Destination: &o.redirect.Port, EnvVars: envVar("redirect-port")},
		stringFlag("redirect-host", "`HOST` that the browser returns to: 127.0.0.1, localhost or ::1 (default: 127.0.0.1)", "", &o.redirect.Host),
		stringFlag("redirect-path", "`PATH` that the browser returns to (default: /callback)", "", &o.redirect.Path),
		stringFlag("redirect-url", "Whole redirect `URL`, for servers that compare it exactly; if it leads elsewhere, you paste the final address here", "", &o.redirect.URL),
		&cli.StringSliceFlag{Name: "auth-param", Usage: "Add `NAME=VALUE` to the authorization request, such as prompt=consent; repeat it for more", Destination: &o.params, EnvVars: envVar("auth-param")},
		boolFlag("assume-pkce", "Sign in although the server does not advertise PKCE; S256 is sent anyway", &o.assumePKCE),
	)
}

// authParams returns what --auth-param adds; nil: nothing.
func (o *browserOptions) authParams() (url.Values, error) {
	var params url.Values
	for _, pair := range o.params.Value() {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, usagef("--auth-param: use NAME=VALUE, not %q", pair)
		}
		if params == nil {
			params = url.Values{}
		}
		params.Add(name, value)
	}
	return params, nil
}

// surroundings looks at where this program runs.
func (e *env) surroundings(o *loginOptions) flows.Surroundings {
	s := browser.Surroundings(e.getenv)
	s.Browser, s.NoBrowser, s.Terminal = o.browser.command != "", o.browser.never, e.streams().CanAsk()
	s.Relay = len(o.relay.addresses()) > 0
	s.Laptop = !s.Browser && !s.NoBrowser && e.laptop() != ""
	return s
}

// publicEnviron leaves out our own variables, the settings too: a browser
// outlives this program and needs none of them.
func publicEnviron(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), isOwn)
}

// codeFlow returns the authorization code flow, with a browser opened here or
// without.
func (e *env) codeFlow(o *loginOptions, open bool) (*authcode.Flow, error) {
	f := &authcode.Flow{Redirect: o.browser.redirect, Timeout: o.wait, AssumePKCE: o.browser.assumePKCE}
	switch s := e.streams(); {
	case o.inClient != nil:
		f.Prompt, f.Paste = o.inClient, o.inClient.Paste
	case o.json:
		f.Prompt = &terminal.Events{Out: e.out}
	default:
		link := terminal.NewLinkText(s, terminal.LinkOptions{Client: o.client.name, SSH: sshTarget(e.getenv), Copy: o.copy})
		f.Prompt = link
		if s.CanAsk() {
			f.Paste = terminal.NewPaster(s, link).Read
		}
	}
	if open && o.browser.command == "" && e.laptop() != "" {
		f.Elsewhere = laptopBrowser{&sshbrowser.Browser{Find: e.laptop}}
		return f, nil
	}
	if open {
		b, err := browser.New(e.getenv, publicEnviron(os.Environ()), o.browser.command)
		if err != nil {
			return nil, usagef("--browser-command: %w", err)
		}
		f.Open = b.Open
	}
	return f, nil
}

// laptopBrowser makes a person's no on the laptop one to the sign-in.
type laptopBrowser struct{ *sshbrowser.Browser }

func (b laptopBrowser) Answer(ctx context.Context) (string, error) {
	query, err := b.Browser.Answer(ctx)
	if errors.Is(err, sshbrowser.ErrCanceled) {
		err = fmt.Errorf("%w: %w", err, flows.ErrDenied)
	}
	return query, err
}

// sshTarget says how this machine is reached by ssh, as its arguments: the
// address that the connection came to, as SSH_CONNECTION has it, unless that is
// a tunnel's end.
func sshTarget(getenv func(string) string) suggest.Command {
	fields := strings.Fields(getenv("SSH_CONNECTION"))
	if len(fields) != 4 {
		return nil
	}
	address, port := fields[2], fields[3]
	if ip := net.ParseIP(address); ip == nil || ip.IsLoopback() {
		name, err := os.Hostname()
		if err != nil {
			return nil
		}
		address = name
	}
	target := suggest.Command{cmp.Or(getenv("USER"), getenv("LOGNAME"), "USER") + "@" + address}
	if port != "22" && port != "" {
		target = suggest.Command{"-p", port}.With(target...)
	}
	return target
}
