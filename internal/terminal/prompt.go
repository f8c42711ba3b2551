package terminal

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
)

// Caps on the texts of a prompt, in characters. The user code and the URLs
// are whole: package oauth caps them.
const (
	maxHost   = 255
	maxClient = 60
	MaxURL    = 2048
	maxReason = 200
)

// QRMode says when a QR code is shown.
type QRMode int

const (
	QRAuto   QRMode = iota // on a terminal where it fits
	QRNever                // --no-qr
	QRAlways               // in plain text too
)

// Options are what a prompt needs to know.
type Options struct {
	Out    io.Writer               // where it shows; of a terminal: its writer
	TTY    *os.File                // the terminal behind Out; nil: Out is none
	Size   func() (cols, rows int) // nil: asked of TTY
	Getenv func(string) string     // TERM, NO_COLOR and TMUX are read
	QR     QRMode
	Copy   bool // the user code to the clipboard, by OSC 52
}

// Prompt shows device codes to a person. One on a terminal is
// an io.Writer too: what else is to be shown meanwhile, such as a log line, is
// written to it and comes to stand above the code.
type Prompt interface {
	device.PollPrompt

	// Retry asks whether to go on with a fresh code after one expired. Where
	// nobody can be asked it says no.
	Retry(ctx context.Context) bool

	// Close erases what is shown and returns when that is done. It may be
	// called more than once, and must be before the process ends.
	Close() error
}

// NewPrompt returns the prompt that fits its surroundings: a live one on a
// terminal, else plain text printed once.
func NewPrompt(o Options) Prompt {
	switch {
	case o.TTY == nil, !foreground(o.TTY), o.Getenv("NO_COLOR") != "", !Capable(o.Getenv("TERM")):
		return &textPrompt{out: o.Out, qr: o.QR == QRAlways}
	default:
		return newTerminalPrompt(o)
	}
}

// Capable reports whether a terminal named so understands escape sequences.
func Capable(termName string) bool {
	return termName != "dumb" && (termName != "" || consoleANSI)
}

// Sanitized returns a code with every text as it may be shown.
func Sanitized(c device.Code) device.Code {
	c.UserCode = oauth.Sanitize(c.UserCode, maxClient)
	c.VerificationURI = oauth.Sanitize(c.VerificationURI, MaxURL)
	c.VerificationURIComplete = oauth.Sanitize(c.VerificationURIComplete, MaxURL)
	c.Issuer = oauth.Sanitize(c.Issuer, MaxURL)
	c.Server = oauth.Sanitize(c.Server, MaxURL)
	c.Client = oauth.Sanitize(c.Client, maxClient)
	return c
}

// scanned returns the URL that a QR code of c holds.
func scanned(c device.Code) string {
	if c.VerificationURIComplete != "" {
		return c.VerificationURIComplete
	}
	return c.VerificationURI
}

// Parties says who asks, for what, where the person signs in and who issues
// the token.
func Parties(client string, h flows.Hosts) string {
	issued := ", which issues the token"
	if h.SignIn != h.Issuer {
		issued = "; the token issuer is " + h.Issuer
	}
	return fmt.Sprintf("Client %s, for %s. You sign in at %s%s.", client, h.Server, h.SignIn, issued)
}

// HostWarning is a line about hosts that leave the issuer's domain, nil if all
// is in one.
func HostWarning(h flows.Hosts) []string {
	if w := h.Warning(); w != "" {
		return []string{"Warning: " + w + "."}
	}
	return nil
}

// Host returns the host, with its port, of a URL as it may be shown.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return oauth.Sanitize(raw, maxHost)
	}
	return oauth.Sanitize(u.Host, maxHost)
}
