package authcode

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"unicode"
)

const (
	maxPaste = 16 << 10 // longer than any address a browser shows
	minCode  = 8        // shorter is a key pressed by mistake; RFC 6749 §10.10 wants 128 bits
)

// The reasons to refuse a pasted text, for the person to read. None repeats
// the text: it may hold a code.
var (
	errPasteEmpty  = errors.New("nothing was pasted")
	errPasteLong   = errors.New("this text is too long to be a URL")
	errPasteText   = errors.New("this is neither a URL nor a code")
	errPasteNoCode = errors.New("this URL has no code; paste the URL of the last page in the browser")
	errPasteLink   = errors.New("this is the URL to open; paste the URL of the last page in the browser")
	errPasteOld    = errors.New("this URL is from an earlier attempt; open the link above and approve again")
)

// readPastes takes pasted texts until one is an answer.
func (a *attempt) readPastes(ctx context.Context, read func(context.Context, error) (string, error)) {
	var rejected error
	for {
		text, err := read(ctx, rejected)
		if err != nil || ctx.Err() != nil {
			return // the listener may still be reached
		}
		if rejected = a.acceptPaste(text); rejected == nil {
			return
		}
	}
}

// acceptPaste takes an address or a code.
func (a *attempt) acceptPaste(text string) error {
	p, err := parsePaste(text)
	if err != nil {
		return err
	}
	if p.query != nil {
		err = a.accept(p.query)
	} else {
		err = a.acceptBare(p.code)
	}
	if errors.Is(err, errState) && ownState(p.state()) {
		return errPasteOld
	}
	return err
}

// acceptBare takes a code, or the code#state that some servers show to be copied.
// A code can hold a # itself, so only what looks like a state of ours is one.
func (a *attempt) acceptBare(code string) error {
	i := strings.LastIndexByte(code, '#')
	if i < 0 || code[i+1:] != a.state && !ownState(code[i+1:]) {
		return a.acceptCode(code)
	}
	if code[i+1:] != a.state {
		return errState
	}
	return a.acceptCode(code[:i])
}

// ownState reports whether a text looks like a state of this program.
func ownState(s string) bool {
	return len(s) == len(rand.Text()) && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// pasted is what a text holds: the query of an address, or a bare code.
type pasted struct {
	query url.Values // nil: a bare code
	code  string
}

func (p pasted) state() string {
	if p.query != nil {
		return p.query.Get("state")
	}
	return p.code[strings.LastIndexByte(p.code, '#')+1:]
}

// parsePaste reads a text as people copy it: wrapped over lines by a terminal,
// in quotes, without the scheme that browsers hide. Host and path are not
// looked at: the address may be a relay's.
func parsePaste(text string) (pasted, error) {
	if len(text) > maxPaste {
		return pasted{}, errPasteLong
	}
	text = trimQuotes(strings.Map(dropInvisible, text))
	switch {
	case text == "":
		return pasted{}, errPasteEmpty
	case !vschar(text):
		return pasted{}, errPasteText
	case strings.ContainsAny(text, "?&") || strings.Contains(text, "://"):
		return parseAddress(text)
	}
	return parseCode(text)
}

// dropInvisible removes line breaks, spaces, and what a terminal or chat adds
// unseen; none of it occurs in an address or a code.
func dropInvisible(r rune) rune {
	if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

func trimQuotes(s string) string { return strings.Trim(s, "\"'`<>()[]“”‘’«»,;") }

func parseAddress(text string) (pasted, error) {
	// What chat programs and shells put in; neither is in an address otherwise.
	text = strings.NewReplacer("&amp;", "&", `\?`, "?", `\=`, "=", `\&`, "&").Replace(text)
	q, err := queryOf(text)
	if err != nil {
		return pasted{}, errPasteText
	}
	for _, values := range q {
		// Mail and chat programs lead links over a page of their own.
		if inner, err := queryOf(values[0]); !q.Has("state") && err == nil && inner.Has("state") {
			q = inner
			break
		}
	}
	switch {
	case q.Has("code_challenge"):
		return pasted{}, errPasteLink
	case !q.Has("code") && !q.Has("error"):
		return pasted{}, errPasteNoCode
	}
	return pasted{query: q}, nil
}

func queryOf(address string) (url.Values, error) {
	_, query, found := strings.Cut(address, "?")
	if !found {
		query = address
	}
	query, _, _ = strings.Cut(query, "#")
	return url.ParseQuery(query)
}

// parseCode undoes percent-encoding, for a code cut out of an address.
func parseCode(text string) (pasted, error) {
	code, err := url.PathUnescape(strings.TrimPrefix(text, "code="))
	if err != nil || !vschar(code) || len(code) < minCode {
		return pasted{}, errPasteText
	}
	return pasted{code: code}, nil
}
