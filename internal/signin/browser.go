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

// Browser has the options of the flows that need a browser.
type Browser struct {
	Redirect   authcode.Redirect
	Command    string // that opens a browser; "": the system's browser
	Never      bool   // do not open a browser
	AssumePKCE bool
	Params     []string // NAME=VALUE to add to the authorization request
}

// authParams returns the parameters of --auth-param; nil: none.
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

// look detects the environment of this program.
func (s SignIn) look() flows.Environment {
	here := browser.Environment(s.Getenv)
	here.Browser, here.NoBrowser = s.Browser.Command != "", s.Browser.Never
	here.Relay = len(s.Relay.URLs) > 0
	here.Laptop = !here.Browser && !here.NoBrowser && s.Laptop() != ""
	return here
}

// Here returns which flows suit this environment.
func (s SignIn) Here() flows.Detection { return flows.Detect(s.here()) }

// codeFlow returns the authorization code flow, with a browser opened here or
// without.
func (s SignIn) codeFlow(open bool) (*authcode.Flow, error) {
	f := &authcode.Flow{Redirect: s.Browser.Redirect, Timeout: s.Wait, AssumePKCE: s.Browser.AssumePKCE}
	switch {
	case s.InClient != nil:
		f.Prompt, f.Paste = s.InClient, s.InClient.Paste
	case s.JSON:
		f.Prompt = &terminal.Events{Out: s.Out}
	default:
		link := terminal.NewLinkText(s.Streams, terminal.LinkOptions{Client: s.Client.Name, SSH: sshTarget(s.Getenv), Copy: s.Copy})
		f.Prompt = link
		if s.CanAsk() {
			f.Paste = terminal.NewPaster(s.Streams, link).Read
		}
	}
	if open && s.here().Laptop {
		f.Remote = laptopBrowser{&sshbrowser.Browser{Find: s.Laptop}}
		return f, nil
	}
	if open {
		b, err := browser.New(s.Getenv, s.Environ, s.Browser.Command)
		if err != nil {
			return nil, exit.Usagef("--browser-command: %w", err)
		}
		f.Open = b.Open
	}
	return f, nil
}

// laptopBrowser denies the sign-in if the user cancels it on the laptop.
type laptopBrowser struct{ *sshbrowser.Browser }

func (b laptopBrowser) Answer(ctx context.Context) (string, error) {
	query, err := b.Browser.Answer(ctx)
	if errors.Is(err, sshbrowser.ErrCanceled) {
		err = fmt.Errorf("%w: %w", err, flows.ErrDenied)
	}
	return query, err
}

// sshTarget returns the arguments with which ssh reaches this machine: the address in
// SSH_CONNECTION that the connection came to, unless that is a tunnel.
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
