package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

const linkWarning = "Approve only if you started this login yourself."

// linkText shows where to sign in, as plain text, once. What is asked after it
// stands below.
type linkText struct {
	out    io.Writer
	client string
	ssh    suggest.Command // how this machine is reached by ssh; none: not over ssh
}

// ShowLink implements authcode.Prompt.
func (p *linkText) ShowLink(_ context.Context, l authcode.Link) {
	// Best effort: a closed stderr must not end a login.
	_, _ = io.WriteString(p.out, p.text(l))
}

// text tells it. No line starts with text of a server: CI systems read
// commands there.
func (p *linkText) text(l authcode.Link) string {
	var b strings.Builder
	switch {
	case l.Opened:
		fmt.Fprintf(&b, "Your browser was opened to sign in to %s. If it shows nothing, open\n\n", host(l.Server))
	case l.OpenErr != nil:
		fmt.Fprintf(&b, "%s. To sign in to %s, open\n\n", reason(l.OpenErr), host(l.Server))
	default:
		fmt.Fprintf(&b, "To sign in to %s, open in a browser\n\n", host(l.Server))
	}
	fmt.Fprintf(&b, "    %s\n\n", l.URL)
	lines := []string{parties(p.client, l.Hosts)}
	if !l.Opened { // else it was said before the browser opened
		lines = append(lines, hostWarning(l.Hosts)...)
	}
	b.WriteString(strings.Join(append(lines, linkWarning), "\n") + "\n")
	if len(p.ssh) > 0 && l.Port != 0 {
		fmt.Fprintf(&b, "\nThe browser comes back to this machine. If it runs on another, run there first\n\n    %s\n\n", forward(l, p.ssh))
		fmt.Fprintf(&b, "after which %s leads to the same page.\n", l.Local)
	}
	if l.Paste {
		b.WriteString("\nIf the last page does not load, copy the address it has in the browser.\n")
	}
	return b.String()
}

// forward is the command that makes the listener reachable from the machine
// where it is run.
func forward(l authcode.Link, to suggest.Command) suggest.Command {
	port := strconv.Itoa(l.Port)
	loopback := "127.0.0.1"
	if u, err := url.Parse(l.Redirect); err == nil && u.Hostname() == "::1" {
		loopback = "[::1]"
	}
	return suggest.Command{"ssh", "-L", port + ":" + loopback + ":" + port}.With(to...)
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

// linkEvents tells it to a program.
type linkEvents struct{ emit func(event any) }

// linkEvent is one line of --json.
type linkEvent struct {
	Event    string `json:"event"` // "link"
	URL      string `json:"authorization_url"`
	Local    string `json:"local_url,omitempty"`
	Redirect string `json:"redirect_uri"`
	Opened   bool   `json:"browser_opened"`
	Error    string `json:"browser_error,omitempty"`
	Server   string `json:"server"`
	Issuer   string `json:"issuer"`
	hosts
}

// ShowLink implements authcode.Prompt.
func (p linkEvents) ShowLink(_ context.Context, l authcode.Link) {
	e := linkEvent{
		Event: "link", URL: l.URL, Local: l.Local, Redirect: l.Redirect, Opened: l.Opened, Server: l.Server, Issuer: l.Issuer,
		hosts: hosts{l.Hosts, l.Hosts.Warning()},
	}
	if l.OpenErr != nil {
		e.Error = reason(l.OpenErr)
	}
	p.emit(e)
}
