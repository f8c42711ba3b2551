package main

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
	maxURL    = 2048
	maxReason = 200
)

// qrMode says when a QR code is shown.
type qrMode int

const (
	qrAuto   qrMode = iota // on a terminal where it fits
	qrNever                // --no-qr
	qrAlways               // in plain text too
)

// promptOptions are what a prompt needs to know.
type promptOptions struct {
	Out    io.Writer               // where it shows; of a terminal: its writer
	TTY    *os.File                // the terminal behind Out; nil: Out is none
	Size   func() (cols, rows int) // nil: asked of TTY
	Getenv func(string) string     // TERM, NO_COLOR and TMUX are read
	JSON   bool                    // one JSON object a line, for programs
	QR     qrMode
	Copy   bool // the user code to the clipboard, by OSC 52
}

// prompt shows device codes to a person or a program. One on a terminal is
// an io.Writer too: what else is to be shown meanwhile, such as a log line, is
// written to it and comes to stand above the code.
type prompt interface {
	device.PollPrompt

	// Retry asks whether to go on with a fresh code after one expired. Where
	// nobody can be asked it says no.
	Retry(ctx context.Context) bool

	// Close erases what is shown and returns when that is done. It may be
	// called more than once, and must be before the process ends.
	Close() error
}

// newPrompt returns the prompt that fits its surroundings: JSON lines where
// asked for, a live one on a terminal, else plain text printed once.
func newPrompt(o promptOptions) prompt {
	switch {
	case o.JSON:
		return &jsonPrompt{out: o.Out}
	case o.TTY == nil, !foreground(o.TTY), o.Getenv("NO_COLOR") != "", !capable(o.Getenv("TERM")):
		return &textPrompt{out: o.Out, qr: o.QR == qrAlways}
	default:
		return newTerminalPrompt(o)
	}
}

// capable reports whether a terminal named so understands escape sequences.
func capable(termName string) bool {
	return termName != "dumb" && (termName != "" || consoleANSI)
}

// sanitized returns a code with every text as it may be shown.
func sanitized(c device.Code) device.Code {
	c.UserCode = oauth.Sanitize(c.UserCode, maxClient)
	c.VerificationURI = oauth.Sanitize(c.VerificationURI, maxURL)
	c.VerificationURIComplete = oauth.Sanitize(c.VerificationURIComplete, maxURL)
	c.Issuer = oauth.Sanitize(c.Issuer, maxURL)
	c.Server = oauth.Sanitize(c.Server, maxURL)
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

// parties says who asks, for what, where the person signs in and who issues
// the token.
func parties(client string, h flows.Hosts) string {
	issued := ", which issues the token"
	if h.SignIn != h.Issuer {
		issued = "; the token issuer is " + h.Issuer
	}
	return fmt.Sprintf("Client %s, for %s. You sign in at %s%s.", client, h.Server, h.SignIn, issued)
}

// hostWarning is a line about hosts that leave the issuer's domain, nil if all
// is in one.
func hostWarning(h flows.Hosts) []string {
	if w := h.Warning(); w != "" {
		return []string{"Warning: " + w + "."}
	}
	return nil
}

// host returns the host, with its port, of a URL as it may be shown.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return oauth.Sanitize(raw, maxHost)
	}
	return oauth.Sanitize(u.Host, maxHost)
}
