package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxTyped = 64 << 10 // more is a file, not an address

	keyEOF       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyKill      = 0x15 // Ctrl-U
	keyEscape    = 0x1b
	keyDelete    = 0x7f
)

// errNoPaste ends the reading of pasted texts. The listener keeps waiting.
var errNoPaste = errors.New("pasting is not possible")

// Paster reads the redirect URL that the user pastes at the terminal. It does
// not read standard input, which can belong to a program.
type Paster struct {
	streams Streams
	link    *LinkText
	keys    *keys // of the terminal, from the first Read to the end of the process
}

// NewPaster returns a paster for the terminal of the streams. The key c copies
// the link to the clipboard.
func NewPaster(s Streams, link *LinkText) *Paster { return &Paster{streams: s, link: link} }

// Read implements authcode.Flow.Paste. It restores the terminal before it
// returns, also when ctx ends.
func (p *Paster) Read(ctx context.Context, rejected error) (string, error) {
	keys, err := p.begin()
	if err != nil {
		return "", errNoPaste
	}
	defer keys.end()
	if rejected != nil {
		io.WriteString(keys.out, Linef("%v", rejected))
	}
	io.WriteString(keys.out, pasteHere+p.escape("\x1b[?2004h"))
	defer io.WriteString(keys.out, p.escape("\x1b[?2004l"))
	text, err := readPaste(ctx, keys, p.copyLink)
	if err != nil {
		io.WriteString(keys.out, p.escape("\r\x1b[K")) // the response arrived, or the login ended
		return "", err
	}
	fmt.Fprintf(keys.out, "(%d characters)\n", utf8.RuneCountInString(strings.TrimSpace(text)))
	return text, nil
}

const pasteHere = "paste it here> "

// copyLink makes the terminal copy the link, and says so. It cannot detect
// whether the terminal supports that.
func (p *Paster) copyLink(out io.Writer) {
	if p.link.styled() {
		io.WriteString(out, p.link.clipboard()+"\r\x1b[Ksent the link to the clipboard of your terminal\n"+pasteHere)
	}
}

// begin prepares the terminal for a text.
func (p *Paster) begin() (*keys, error) {
	if p.keys == nil {
		t, err := p.streams.open()
		if err != nil {
			return nil, err
		}
		p.keys = newKeys(t)
	}
	return p.keys, p.keys.begin()
}

// escape returns an escape sequence if the terminal understands it.
func (p *Paster) escape(s string) string {
	if !p.streams.escapes() || !p.keys.escapes() {
		return ""
	}
	return s
}

// readPaste reads keys until a text is complete. The key c followed by silence
// requests a copy of the link.
func readPaste(ctx context.Context, keys *keys, copyLink func(io.Writer)) (string, error) {
	var typed typedText
	buf := make([]byte, 4096)
	for {
		n, err := keys.read(buf) // 0 after keyWait without a key
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			return "", errNoPaste
		}
		if n == 0 && strings.TrimSpace(typed.String()) == "c" {
			typed = typedText{}
			copyLink(keys.out)
		}
		if n == 0 && typed.settled() {
			return typed.String(), nil
		}
		for _, c := range buf[:n] {
			echo, end := typed.feed(c)
			if n == 1 { // a typed key: pasted text arrives in one piece and is not shown
				io.WriteString(keys.out, echo)
			}
			switch end {
			case endText:
				return typed.String(), nil
			case endInput:
				return "", errNoPaste
			}
		}
	}
}

// textEnd says how a key ended the text.
type textEnd int

const (
	unfinished textEnd = iota
	endText
	endInput
)

// typedText collects keys. If the terminal marks pastes (bracketed paste), a
// pasted text ends with the mark. Any other text ends with a line end and then
// silence, because a window wraps an address and copies it with line ends inside.
type typedText struct {
	text   []byte
	escape []byte // an incomplete escape sequence
	pasted bool   // between the marks of a paste
	lineUp bool   // the last key was a line end
}

func (t *typedText) String() string { return string(t.text) }

// settled reports whether silence ends the text.
func (t *typedText) settled() bool { return t.lineUp && len(t.text) > 0 }

// feed takes a byte and returns the text to show for it.
func (t *typedText) feed(c byte) (echo string, end textEnd) {
	if len(t.escape) > 0 || c == keyEscape {
		return "", t.feedEscape(c)
	}
	if c == '\r' || c == '\n' {
		t.lineUp = true
		if len(t.text) > 0 {
			t.add('\n')
		}
		return "", unfinished
	}
	if t.pasted {
		t.add(c)
		return "", unfinished
	}
	switch c {
	case keyEOF:
		if len(t.text) == 0 {
			return "", endInput
		}
	case keyKill:
		n := utf8.RuneCount(t.text)
		t.text = t.text[:0]
		return repeat("\b \b", n), unfinished
	case keyBackspace, keyDelete:
		if len(t.text) == 0 {
			return "", unfinished
		}
		_, size := utf8.DecodeLastRune(t.text)
		t.text = t.text[:len(t.text)-size]
		return "\b \b", unfinished
	default:
		if c < ' ' {
			return "", unfinished
		}
		t.add(c)
		if c >= utf8.RuneSelf { // a part of a character
			return "", unfinished
		}
		return string(c), unfinished
	}
	return "", unfinished
}

func repeat(s string, n int) string {
	var out string
	for range min(n, 200) {
		out += s
	}
	return out
}

func (t *typedText) add(c byte) {
	if c > ' ' {
		t.lineUp = false
	}
	if len(t.text) < maxTyped {
		t.text = append(t.text, c)
	}
}

// feedEscape takes a byte of an escape sequence. It drops keys such as arrows.
// The marks of a paste begin and end one.
func (t *typedText) feedEscape(c byte) textEnd {
	t.escape = append(t.escape, c)
	switch {
	case len(t.escape) == 1, len(t.escape) == 2 && c == '[':
		return unfinished
	case len(t.escape) > 2 && len(t.escape) < 16 && c >= 0x20 && c < 0x40: // ECMA-48 §5.4
		return unfinished
	}
	sequence := string(t.escape)
	t.escape = nil
	switch sequence {
	case "\x1b[200~":
		t.pasted = true
	case "\x1b[201~":
		t.pasted = false
		if len(t.text) > 0 {
			return endText
		}
	}
	return unfinished
}
