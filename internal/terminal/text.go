package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// textPrompt prints a sign-in once, as plain text.
type textPrompt struct {
	out io.Writer

	mu      sync.Mutex
	offline bool // the user knows that the server is unreachable
}

func (p *textPrompt) Show(_ context.Context, s SignIn) {
	_, _ = p.Write([]byte(s.sanitized().text())) // best effort: a closed stderr must not end a login
}

// Progress prints when the server becomes unreachable and when it responds
// again.
func (p *textPrompt) Progress(n Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case n.Status == Unreachable && !p.offline:
		p.offline = true
		trouble := "cannot reach the authorization server"
		if _, answered := errors.AsType[*oauth.Error](n.Err); answered {
			trouble = "the authorization server returned an error"
		}
		fmt.Fprintf(p.out, "%s, still trying: %s\n", trouble, Reason(n.Err))
	case n.Status == Waiting && p.offline:
		p.offline = false
		fmt.Fprintln(p.out, "the authorization server is reachable again, waiting for approval")
	}
}

func (p *textPrompt) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *textPrompt) Retry(context.Context) bool { return false }

func (p *textPrompt) Close() error { return nil }

// text is a sign-in as plain text. No line starts with text of a server: CI
// systems read commands there.
func (s SignIn) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "To sign in to %s, open\n\n", Host(s.Server))
	fmt.Fprintf(&b, "    %s\n\n", s.Link)
	fmt.Fprintf(&b, "on any device and enter the code\n\n    %s\n\n", s.Code)
	if s.LinkWithCode != "" {
		fmt.Fprintf(&b, "or open this link and check that it shows the same code\n\n    %s\n\n", s.LinkWithCode)
	}
	lines := append([]string{Parties(s.Client, s.Hosts)}, HostWarning(s.Hosts)...)
	b.WriteString(strings.Join(append(lines, warning), "\n") + "\n")
	if !s.Expiry.IsZero() {
		b.WriteString(waitingUntil(s.Expiry) + "\n")
	}
	return b.String()
}

func waitingUntil(t time.Time) string { return "Waiting until " + t.UTC().Format(time.RFC3339) + "." }
