package terminal

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// Limits on the texts of a prompt, in characters. Package oauth limits user
// codes and URLs, which are shown whole.
const (
	MaxURL    = 2048
	MaxClient = 60 // a client's name, a user code

	maxHost   = 255
	maxReason = 200
)

// SignIn is what the user needs to sign in on any device: a link, and a code
// to enter there. Flows that work this way share the prompt.
type SignIn struct {
	Link         string
	LinkWithCode string // opens the page with the code filled in; "": there is none
	Code         string
	Expiry       time.Time // of link and code; zero: unknown
	Server       string    // URL of the MCP server
	Client       string    // name of the client
	Hosts        flows.Hosts
}

// Status is the state of the wait for the user.
type Status int

// The states of a sign-in in progress.
const (
	Waiting     Status = iota
	SlowedDown         // the server asked for fewer requests
	Unreachable        // the server did not answer
)

// Progress is an update about a sign-in in progress.
type Progress struct {
	Status Status
	Next   time.Time // of the next request
	Err    error     // of the last one
}

// Prompt shows how to sign in until that is over. Other text for the same
// terminal, such as log lines, is written to the prompt: it appears above the
// code.
type Prompt interface {
	io.Writer

	// Show shows how to sign in, until ctx ends.
	Show(ctx context.Context, s SignIn)

	// Progress updates what is shown.
	Progress(p Progress)

	// Retry asks whether to continue with a new code after one expired. It
	// returns false if it cannot ask.
	Retry(ctx context.Context) bool

	// Close erases what is shown and returns when that is done. Call it before
	// the process ends; further calls do nothing.
	Close() error
}

// Options are the user's choices for a prompt.
type Options struct {
	NoQR bool // show no QR code
	Copy bool // copy the code to the clipboard, with OSC 52
}

// NewPrompt returns the prompt that fits the streams: a live one on a terminal,
// else plain text that is printed once.
func NewPrompt(s Streams, o Options) Prompt {
	if s.Interactive() && s.escapes() {
		t, err := s.open()
		if err == nil && foreground(t.keys) && t.escapes() {
			return newLivePrompt(t, s.Getenv("TMUX") != "", o)
		}
		if err == nil {
			t.close()
		}
	}
	return &textPrompt{out: s.Err}
}

// sanitized returns a sign-in with all texts sanitized for display.
func (s SignIn) sanitized() SignIn {
	s.Code = oauth.Sanitize(s.Code, MaxClient)
	s.Link = oauth.Sanitize(s.Link, MaxURL)
	s.LinkWithCode = oauth.Sanitize(s.LinkWithCode, MaxURL)
	s.Server = oauth.Sanitize(s.Server, MaxURL)
	s.Client = oauth.Sanitize(s.Client, MaxClient)
	return s
}

// scanned returns the URL in the QR code.
func (s SignIn) scanned() string {
	if s.LinkWithCode != "" {
		return s.LinkWithCode
	}
	return s.Link
}

// Parties names the client, the MCP server, the host where the user signs in
// and the issuer of the token.
func Parties(client string, h flows.Hosts) string {
	issued := ", which issues the token"
	if h.SignIn != h.Issuer {
		issued = "; the token issuer is " + h.Issuer
	}
	return fmt.Sprintf("Client %s, for %s. You sign in at %s%s.", client, h.Server, h.SignIn, issued)
}

// HostWarning is a line about hosts outside of the issuer's domain, nil if
// there is none.
func HostWarning(h flows.Hosts) []string {
	if w := h.Warning(); w != "" {
		return []string{"Warning: " + w + "."}
	}
	return nil
}

// Host returns the host of a URL, with its port, sanitized for display.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return oauth.Sanitize(raw, maxHost)
	}
	return oauth.Sanitize(u.Host, maxHost)
}

// Reason returns the text of an error, sanitized for display.
func Reason(err error) string {
	if err == nil {
		return "no answer"
	}
	return oauth.Sanitize(err.Error(), maxReason)
}
