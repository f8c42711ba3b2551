package terminal

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/oauth"
)

// Events writes the prompts of a login as events, one JSON object per line.
// Their names and fields are stable: only additions are allowed.
type Events struct {
	Out io.Writer

	mu sync.Mutex // guards Out
}

// codeEvent opens each code's events.
type codeEvent struct {
	Event    string    `json:"event"` // "code"
	UserCode string    `json:"user_code"`
	URI      string    `json:"verification_uri"`
	Complete string    `json:"verification_uri_complete,omitempty"`
	Expiry   time.Time `json:"expires_at,omitzero"`
	Interval int       `json:"interval"` // seconds
	Server   string    `json:"server"`
	Issuer   string    `json:"issuer"`
	Client   string    `json:"client_name"`
	HostReport
}

// HostReport is the JSON form of the hosts of a login. It has a warning only if
// a host is outside the issuer's domain.
type HostReport struct {
	Hosts   flows.Hosts `json:"hosts"`
	Warning string      `json:"warning,omitempty"`
}

// pollEvent follows every poll; "done" closes a code's events.
type pollEvent struct {
	Event  string        `json:"event"` // "poll" or "done"
	Status device.Status `json:"status"`
	Next   time.Time     `json:"next_poll_at,omitzero"`
	Error  string        `json:"error,omitempty"`
}

// ShowCode implements device.Prompt.
func (p *Events) ShowCode(_ context.Context, c device.Code) {
	link := func(s string) string { return oauth.Sanitize(s, MaxURL) }
	name := func(s string) string { return oauth.Sanitize(s, MaxClient) }
	p.emit(codeEvent{
		Event: "code", UserCode: name(c.UserCode), URI: link(c.VerificationURI), Complete: link(c.VerificationURIComplete),
		Expiry: seconds(c.Expiry), Interval: int(c.Interval / time.Second),
		Server: link(c.Server), Issuer: link(c.Issuer), Client: name(c.Client), HostReport: HostReport{c.Hosts, c.Hosts.Warning()},
	})
}

// ShowPoll implements device.PollPrompt.
func (p *Events) ShowPoll(_ context.Context, s device.Poll) {
	e := pollEvent{Event: "poll", Status: s.Status, Next: seconds(s.Next)}
	if s.Next.IsZero() {
		e.Event = "done"
	}
	if s.Err != nil {
		e.Error = Reason(s.Err)
	}
	p.emit(e)
}

// Retry returns false, because a program cannot answer a question.
func (p *Events) Retry(context.Context) bool { return false }

// Close does nothing.
func (p *Events) Close() error { return nil }

func (p *Events) emit(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line, err := printable.JSON(event, ""); err == nil {
		_, _ = p.Out.Write(line) // best effort: a closed stream must not end a login
	}
}

// linkEvent is one line of --json.
type linkEvent struct {
	Event    string    `json:"event"` // "link"
	URL      string    `json:"authorization_url"`
	Local    string    `json:"local_url,omitempty"`
	Redirect string    `json:"redirect_uri"`
	Opened   bool      `json:"browser_opened"`
	Error    string    `json:"browser_error,omitempty"`
	Server   string    `json:"server"`
	Issuer   string    `json:"issuer"`
	Expiry   time.Time `json:"expires_at,omitzero"`
	HostReport
}

// ShowLink implements authcode.Prompt.
func (p *Events) ShowLink(_ context.Context, l authcode.Link) {
	e := linkEvent{
		Event: "link", URL: l.URL, Local: l.Local, Redirect: l.Redirect, Opened: l.Opened, Server: l.Server, Issuer: l.Issuer,
		Expiry: seconds(l.Expiry), HostReport: HostReport{l.Hosts, l.Hosts.Warning()},
	}
	if l.OpenErr != nil {
		e.Error = Reason(l.OpenErr)
	}
	p.emit(e)
}

// seconds returns a time as in the events: UTC, whole seconds.
func seconds(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}
