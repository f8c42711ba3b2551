package terminal

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

const linkWarning = "Approve only if you started this login yourself."

// LinkText shows the link of the authorization code flow once, as plain text.
// Questions follow below it.
type LinkText struct {
	Out    io.Writer
	Client string
	SSH    suggest.Command // arguments of ssh that reach this machine; nil: not connected over SSH
}

// ShowLink implements authcode.Prompt.
func (p *LinkText) ShowLink(_ context.Context, l authcode.Link) {
	// Best effort: a closed stderr must not end a login.
	_, _ = io.WriteString(p.Out, p.text(l))
}

// text is the link as plain text. No line starts with text of a server: CI
// systems read commands there.
func (p *LinkText) text(l authcode.Link) string {
	var b strings.Builder
	switch {
	case l.Opened:
		fmt.Fprintf(&b, "Your browser was opened to sign in to %s. If it shows nothing, open\n\n", Host(l.Server))
	case l.OpenErr != nil:
		fmt.Fprintf(&b, "%s. To sign in to %s, open\n\n", Reason(l.OpenErr), Host(l.Server))
	default:
		fmt.Fprintf(&b, "To sign in to %s, open in a browser\n\n", Host(l.Server))
	}
	fmt.Fprintf(&b, "    %s\n\n", l.URL)
	lines := []string{Parties(p.Client, l.Hosts)}
	if !l.Opened { // else the warning was shown before the browser opened
		lines = append(lines, HostWarning(l.Hosts)...)
	}
	b.WriteString(strings.Join(append(lines, linkWarning), "\n") + "\n")
	if len(p.SSH) > 0 && l.Port != 0 {
		fmt.Fprintf(&b, "\nThe browser returns to this machine. If it runs on another machine, first run there\n\n    %s\n\n", forward(l, p.SSH))
		fmt.Fprintf(&b, "Then %s opens the same page.\n", l.Local)
	}
	if l.Paste {
		b.WriteString("\nIf the last page does not load, copy its address from the browser.\n")
	}
	return b.String()
}

// forward is the command that makes the listener reachable from the machine on
// which it runs.
func forward(l authcode.Link, to suggest.Command) suggest.Command {
	port := strconv.Itoa(l.Port)
	loopback := "127.0.0.1"
	if u, err := url.Parse(l.Redirect); err == nil && u.Hostname() == "::1" {
		loopback = "[::1]"
	}
	return suggest.Command{"ssh", "-L", port + ":" + loopback + ":" + port}.With(to...)
}
