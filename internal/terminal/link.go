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

const linkWarning = "Approve only if you started this sign-in yourself."

// LinkText shows the link of the authorization code flow once. Questions follow
// below it.
type LinkText struct {
	streams Streams
	o       LinkOptions
	url     string // that was shown last
}

// LinkOptions are what a link's screen depends on besides the link.
type LinkOptions struct {
	Client string          // name of the client
	SSH    suggest.Command // arguments of ssh that reach this machine; nil: not connected over SSH
	Copy   bool            // copy the link to the clipboard, with OSC 52
}

// NewLinkText returns a LinkText for standard error.
func NewLinkText(s Streams, o LinkOptions) *LinkText { return &LinkText{streams: s, o: o} }

// ShowLink implements authcode.Prompt. It is best effort: a closed stderr must not
// end a login.
func (p *LinkText) ShowLink(_ context.Context, l authcode.Link) {
	p.url = l.URL
	s := linkScreen{LinkOptions: p.o, link: l, cols: min(p.streams.Columns(), maxText), styled: p.styled()}
	if !s.styled {
		_, _ = io.WriteString(p.streams.Err, s.text())
		return
	}
	var b strings.Builder
	for _, l := range s.lines() {
		b.WriteString(l.ansi() + "\n")
	}
	if p.o.Copy {
		b.WriteString(p.clipboard())
	}
	_, _ = io.WriteString(p.streams.RawErr(), b.String())
}

// styled reports whether the link can be clicked and copied.
func (p *LinkText) styled() bool { return p.streams.Interactive() && p.streams.escapes() }

// clipboard is the sequence that makes the terminal copy the link.
func (p *LinkText) clipboard() string { return clipboard(p.url, p.streams.Getenv("TMUX") != "") }

const maxText = 100 // wider lines are hard to read

// linkScreen lays out a link. The link is one line, which only the terminal itself
// may wrap: a line end in it would break a copy.
type linkScreen struct {
	LinkOptions
	link   authcode.Link
	cols   int
	styled bool
}

// text is the screen as plain text. No line starts with text of a server: CI
// systems read commands there.
func (s linkScreen) text() string {
	var b strings.Builder
	for _, l := range s.lines() {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

func (s linkScreen) lines() []line {
	out := append([]line{}, s.wrapped("", s.title(), bold)...)
	out = append(out, line{})
	if s.link.Opened {
		out = append(out, s.opened()...)
	} else {
		out = append(out, s.steps()...)
	}
	if len(s.SSH) > 0 && s.link.Port != 0 {
		out = append(out, s.forwarding()...)
	}
	out = append(out, line{})
	out = append(out, s.wrapped("", Parties(s.Client, s.link.Hosts), dim)...)
	if !s.link.Opened { // else the warning was shown before the browser opened
		for _, w := range HostWarning(s.link.Hosts) {
			out = append(out, s.wrapped("", w, magenta)...)
		}
	}
	out = append(out, s.wrapped("", linkWarning, magenta)...)
	if !s.link.Paste && !s.link.Expiry.IsZero() { // otherwise the question shows that the login is waiting
		out = append(out, s.wrapped("", waitingUntil(s.link.Expiry), plain)...)
	}
	return out
}

func (s linkScreen) title() string {
	to := "Sign in to " + Host(s.link.Server)
	switch {
	case s.link.Remote:
		return to + " in the browser that opened on your laptop"
	case s.link.Opened:
		return to + " in the browser that opened"
	case s.link.OpenErr != nil:
		return Reason(s.link.OpenErr) + ". " + to
	}
	return to
}

// opened says what to do if the opened browser does not help.
func (s linkScreen) opened() []line {
	out := append(s.wrapped("", "If nothing opened, open this link"+s.copyHint()+":", plain), line{}, s.url())
	if s.link.Paste {
		out = append(append(out, line{}), s.wrapped("", "If the last page does not load, copy its complete URL and paste it below.", plain)...)
	}
	return out
}

func (s linkScreen) steps() []line {
	out := append(s.wrapped("1. ", "Open this link in a browser on any device"+s.copyHint()+":", plain), line{}, s.url(), line{})
	if !s.link.Paste {
		return append(out, s.wrapped("2. ", "Sign in and approve. The browser then returns to this machine, at "+s.link.Redirect, plain)...)
	}
	out = append(out, s.wrapped("2. ", "Sign in and approve. The last page may say \"This site can't be reached\". That is expected. Its URL begins with "+s.link.Redirect, plain)...)
	return append(out, s.wrapped("3. ", "Copy that complete URL, or the code that the page shows, and paste it below.", plain)...)
}

func (s linkScreen) copyHint() string {
	if s.styled && s.link.Paste {
		return " (press c to copy it)"
	}
	return ""
}

func (s linkScreen) url() line {
	style := plain
	if s.styled {
		style = hyperlink
	}
	return line{{"    ", plain}, {s.link.URL, style}}
}

// forwarding makes the listener reachable from the machine where the browser runs.
func (s linkScreen) forwarding() []line {
	port := strconv.Itoa(s.link.Port)
	loopback := "127.0.0.1"
	if u, err := url.Parse(s.link.Redirect); err == nil && strings.Contains(u.Hostname(), ":") {
		loopback = "[::1]"
	}
	forward := port + ":" + loopback + ":" + port
	out := append([]line{{}}, s.wrapped("", "To make the last page load by itself, run this where your browser is:", plain)...)
	out = append(out, line{{"    ", plain}, {suggest.Command{"ssh", "-L", forward}.With(s.SSH...).String(), bold}})
	out = append(out, s.wrapped("", fmt.Sprintf("or press Enter, ~C, -L %s (needs EnableEscapeCommandline)", forward), plain)...)
	out = append(out, s.wrapped("", fmt.Sprintf("Then %s opens the same page.", s.link.Local), plain)...)
	return append(out, s.wrapped("", "Tip: connect with mcp-login ssh HOST, and your own browser opens by itself.", dim)...)
}

// wrapped is a text in one style, broken to the width of the screen and indented
// below its mark.
func (s linkScreen) wrapped(mark, words string, st style) []line {
	var out []line
	for _, piece := range Wrap(words, s.cols-len(mark)) {
		out = append(out, line{{mark, plain}, {piece, st}})
		mark = strings.Repeat(" ", len(mark))
	}
	return out
}
