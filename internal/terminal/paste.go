package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	maxTyped = 64 << 10 // more is somebody's file, not an address

	keyEOF       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyKill      = 0x15 // Ctrl-U
	keyEscape    = 0x1b
	keyDelete    = 0x7f
)

// errNoPaste ends the reading of pasted texts; the listener goes on waiting.
var errNoPaste = errors.New("nothing can be pasted")

// Paster reads what a person pastes at the terminal: the address at which the
// browser ended. It does not read standard input, which may be a program's.
type Paster struct {
	streams Streams
	keys    *keys // of the terminal, from the first Read to the end of the process
}

// NewPaster returns a paster for the terminal of the streams.
func NewPaster(s Streams) *Paster { return &Paster{streams: s} }

// Read implements authcode.Flow.Paste. The terminal is as before when it
// returns, which it does within moments after ctx ends.
func (p *Paster) Read(ctx context.Context, rejected error) (string, error) {
	keys, err := p.begin()
	if err != nil {
		return "", errNoPaste
	}
	defer keys.end()
	if rejected != nil {
		io.WriteString(keys.out, Linef("%v", rejected))
	}
	io.WriteString(keys.out, "paste it here> "+p.escape("\x1b[?2004h"))
	defer io.WriteString(keys.out, p.escape("\x1b[?2004l"))
	text, err := readPaste(ctx, keys)
	if err != nil {
		io.WriteString(keys.out, p.escape("\r\x1b[K")) // the question is settled elsewhere
		return "", err
	}
	fmt.Fprintf(keys.out, "(%d characters)\n", utf8.RuneCountInString(text))
	return text, nil
}

// begin makes the terminal ready for a text.
func (p *Paster) begin() (*keys, error) {
	if p.keys == nil {
		tty, err := p.streams.TTY()
		if err != nil {
			return nil, err
		}
		p.keys = newKeys(tty)
	}
	return p.keys, p.keys.begin()
}

// escape returns a sequence for terminals that understand it.
func (p *Paster) escape(s string) string {
	if !p.streams.escapes() {
		return ""
	}
	return s
}

// readPaste reads keys until a text is whole.
func readPaste(ctx context.Context, keys *keys) (string, error) {
	var typed typedText
	buf := make([]byte, 4096)
	for {
		n, err := keys.read(buf) // 0 when nothing came for a tenth of a second
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			return "", errNoPaste
		}
		if n == 0 && typed.settled() {
			return typed.String(), nil
		}
		for _, c := range buf[:n] {
			echo, end := typed.feed(c)
			if n == 1 { // a key: what is pasted comes in one piece and is not shown
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

// textEnd says whether a key ended the text.
type textEnd int

const (
	goesOn textEnd = iota
	endText
	endInput
)

// typedText gathers keys. A text pasted by a terminal that marks pastes
// (bracketed paste) ends with the mark; another ends with a line end after
// which nothing comes for a moment, since a terminal's window wraps addresses
// and copies them with line ends inside.
type typedText struct {
	text   []byte
	escape []byte // an escape sequence so far
	pasted bool   // between the marks of a paste
	lineUp bool   // the last was a line end
}

func (t *typedText) String() string { return string(t.text) }

// settled reports whether silence ends the text.
func (t *typedText) settled() bool { return t.lineUp && len(t.text) > 0 }

// feed takes a byte and returns what to show for it.
func (t *typedText) feed(c byte) (echo string, end textEnd) {
	if len(t.escape) > 0 || c == keyEscape {
		return "", t.feedEscape(c)
	}
	if c == '\r' || c == '\n' {
		t.lineUp = true
		if len(t.text) > 0 {
			t.add('\n')
		}
		return "", goesOn
	}
	if t.pasted {
		t.add(c)
		return "", goesOn
	}
	switch c {
	case keyEOF:
		if len(t.text) == 0 {
			return "", endInput
		}
	case keyKill:
		n := utf8.RuneCount(t.text)
		t.text = t.text[:0]
		return repeat("\b \b", n), goesOn
	case keyBackspace, keyDelete:
		if len(t.text) == 0 {
			return "", goesOn
		}
		_, size := utf8.DecodeLastRune(t.text)
		t.text = t.text[:len(t.text)-size]
		return "\b \b", goesOn
	default:
		if c < ' ' {
			return "", goesOn
		}
		t.add(c)
		if c >= utf8.RuneSelf { // a part of a character
			return "", goesOn
		}
		return string(c), goesOn
	}
	return "", goesOn
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

// feedEscape takes a byte of an escape sequence. Keys such as arrows are
// dropped; the marks of a paste begin and end it.
func (t *typedText) feedEscape(c byte) textEnd {
	t.escape = append(t.escape, c)
	switch {
	case len(t.escape) == 1, len(t.escape) == 2 && c == '[':
		return goesOn
	case len(t.escape) > 2 && len(t.escape) < 16 && c >= 0x20 && c < 0x40: // ECMA-48 §5.4
		return goesOn
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
	return goesOn
}
