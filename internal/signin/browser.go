package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/browser"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Browser says how the flows that need a browser go about it.
type Browser struct {
	Redirect   authcode.Redirect
	Command    string // that opens a browser; "": what the system has
	Never      bool   // open none
	AssumePKCE bool
	Params     []string // NAME=VALUE to add to the authorization request
}

// authParams returns what --auth-param adds; nil: nothing.
func (o *Browser) authParams() (url.Values, error) {
	var params url.Values
	for _, pair := range o.Params {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, exit.Usagef("--auth-param: use NAME=VALUE, not %q", pair)
		}
		if params == nil {
			params = url.Values{}
		}
		params.Add(name, value)
	}
	return params, nil
}

// Environment looks at where this program runs.
func (e Place) Environment(o *Options) flows.Environment {
	s := browser.Environment(e.Getenv)
	s.Browser, s.NoBrowser = o.Browser.Command != "", o.Browser.Never
	s.Relay = len(o.Relay.URLs) > 0
	s.Laptop = !s.Browser && !s.NoBrowser && e.Laptop() != ""
	return s
}

// codeFlow returns the authorization code flow, with a browser opened here or
// without.
func (e Place) codeFlow(o *Options, open bool) (*authcode.Flow, error) {
	f := &authcode.Flow{Redirect: o.Browser.Redirect, Timeout: o.Wait, AssumePKCE: o.Browser.AssumePKCE}
	switch s := e.Streams; {
	case o.InClient != nil:
		f.Prompt, f.Paste = o.InClient, o.InClient.Paste
	case o.JSON:
		f.Prompt = &terminal.Events{Out: e.Out}
	default:
		link := terminal.NewLinkText(s, terminal.LinkOptions{Client: o.Client.Name, SSH: sshTarget(e.Getenv), Copy: o.Copy})
		f.Prompt = link
		if s.CanAsk() {
			f.Paste = terminal.NewPaster(s, link).Read
		}
	}
	if open && o.Browser.Command == "" && e.Laptop() != "" {
		f.Remote = laptopBrowser{&sshbrowser.Browser{Find: e.Laptop}}
		return f, nil
	}
	if open {
		b, err := browser.New(e.Getenv, e.Environ, o.Browser.Command)
		if err != nil {
			return nil, exit.Usagef("--browser-command: %w", err)
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

// sshTarget returns the arguments with which ssh reaches this machine: the address in
// SSH_CONNECTION that the connection came to, unless that is the end of a tunnel.
func sshTarget(getenv func(string) string) suggest.Command {
	fields := strings.Fields(getenv("SSH_CONNECTION"))
	if len(fields) != 4 {
		return nil
	}
	address, port := fields[2], fields[3]
	if net.ParseIP(address) == nil || netcheck.IsLoopback(address) {
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
