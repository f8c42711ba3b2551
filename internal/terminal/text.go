package terminal

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
)

// textPrompt prints a code once, as plain text, for what is not a terminal or
// wants no escape sequences.
type textPrompt struct {
	out io.Writer
	qr  bool // a QR code too

	mu      sync.Mutex
	offline bool // said already
}

func (p *textPrompt) ShowCode(_ context.Context, c device.Code) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Best effort: a closed stderr must not end a login.
	_, _ = io.WriteString(p.out, codeText(Sanitized(c), p.qr))
}

// ShowPoll tells once that the server is away, and that it is back.
func (p *textPrompt) ShowPoll(_ context.Context, s device.Poll) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case s.Status == device.Unreachable && !p.offline:
		p.offline = true
		fmt.Fprintf(p.out, "cannot reach the authorization server, trying on: %s\n", Reason(s.Err))
	case s.Status == device.Pending && p.offline:
		p.offline = false
		fmt.Fprintln(p.out, "the authorization server answers again, waiting for approval")
	}
}

func (p *textPrompt) Retry(context.Context) bool { return false }

func (p *textPrompt) Close() error { return nil }

// codeText is a code as plain text. No line of it starts with text of a
// server: CI systems read commands there.
func codeText(c device.Code, qr bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "To sign in to %s, open\n\n", Host(c.Server))
	fmt.Fprintf(&b, "    %s\n\n", c.VerificationURI)
	fmt.Fprintf(&b, "on any device and enter the code\n\n    %s\n\n", c.UserCode)
	if c.VerificationURIComplete != "" {
		fmt.Fprintf(&b, "or open this link and check that it shows the same code\n\n    %s\n\n", c.VerificationURIComplete)
	}
	if qr {
		for _, row := range invert(qrCode(scanned(c), quietZones[0])) {
			fmt.Fprintf(&b, "    %s\n", row)
		}
		b.WriteString("\n")
	}
	lines := append([]string{Parties(c.Client, c.Hosts)}, HostWarning(c.Hosts)...)
	b.WriteString(strings.Join(append(lines, warning), "\n") + "\n")
	if !c.Expiry.IsZero() {
		fmt.Fprintf(&b, "Waiting until %s.\n", c.Expiry.UTC().Format(time.RFC3339))
	}
	return b.String()
}

func Reason(err error) string {
	if err == nil {
		return "no answer"
	}
	return oauth.Sanitize(err.Error(), maxReason)
}
