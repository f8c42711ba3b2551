package authcode

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

const (
	maxPaste = 16 << 10 // in bytes, longer than any URL that a browser shows
	minCode  = 8        // a shorter text is an accidental keystroke; RFC 6749 §10.10 requires 128 bits
)

// Reasons to reject a pasted text, for the user. None quotes the text, because
// it may contain a code.
var (
	errPasteEmpty  = errors.New("nothing was pasted")
	errPasteLong   = errors.New("this text is too long to be a URL")
	errPasteText   = errors.New("this is neither a URL nor a code")
	errPasteNoCode = errors.New("this URL has no code; paste the URL of the last page in the browser")
	errPasteLink   = errors.New("this is the URL to open; paste the URL of the last page in the browser")
	errPasteOld    = errors.New("this URL is from an earlier attempt; open the link above and approve again")
)

// readPastes reads pasted texts until one is accepted.
func (a *attempt) readPastes(ctx context.Context, read func(context.Context, error) (string, error)) {
	var rejected error
	for {
		text, err := read(ctx, rejected)
		if err != nil || ctx.Err() != nil {
			return // the listener may still get the response
		}
		if rejected = a.acceptPaste(text); rejected == nil {
			return
		}
	}
}

// acceptPaste accepts a redirect URL or a code.
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
	if errors.Is(err, errState) && isOwnState(p.state()) {
		return errPasteOld
	}
	return err
}

// acceptBare accepts a code, or the code#state that some servers display for
// copying. A code itself can contain a #, so only a text that looks like a state
// of this program is treated as one.
func (a *attempt) acceptBare(code string) error {
	i := strings.LastIndexByte(code, '#')
	if i < 0 || code[i+1:] != a.state && !isOwnState(code[i+1:]) {
		return a.acceptCode(code)
	}
	if code[i+1:] != a.state {
		return errState
	}
	return a.acceptCode(code[:i])
}

// isOwnState reports whether s looks like a state that this program generated.
func isOwnState(s string) bool {
	return len(s) == len(rand.Text()) && ascii.Only(s, ascii.Base32)
}

// pasted is a parsed text: the query of a URL, or only a code.
type pasted struct {
	query url.Values // nil: only a code
	code  string
}

func (p pasted) state() string {
	if p.query != nil {
		return p.query.Get("state")
	}
	return p.code[strings.LastIndexByte(p.code, '#')+1:]
}

// parsePaste parses a text as users copy it: wrapped by a terminal, in quotes,
// or without the scheme that browsers hide. It ignores host and path, because
// the URL may be that of a relay.
func parsePaste(text string) (pasted, error) {
	if len(text) > maxPaste {
		return pasted{}, errPasteLong
	}
	text = trimQuotes(strings.Map(dropInvisible, text))
	switch {
	case text == "":
		return pasted{}, errPasteEmpty
	case !isCode(text):
		return pasted{}, errPasteText
	case strings.ContainsAny(text, "?&") || strings.Contains(text, "://"):
		return parseAddress(text)
	}
	return parseCode(text)
}

// dropInvisible removes line breaks, spaces and invisible characters that
// terminals and chat programs add; none of them occurs in a URL or a code.
func dropInvisible(r rune) rune {
	if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

func trimQuotes(s string) string { return strings.Trim(s, "\"'`<>()[]“”‘’«»,;") }

func parseAddress(text string) (pasted, error) {
	// Undo the escapes that chat programs and shells add; they do not occur in
	// URLs otherwise.
	text = strings.NewReplacer("&amp;", "&", `\?`, "?", `\=`, "=", `\&`, "&").Replace(text)
	q, err := queryOf(text)
	if err != nil {
		return pasted{}, errPasteText
	}
	for _, values := range q {
		// Mail and chat programs wrap links in a redirect URL.
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

// parseCode parses a code, which may be percent-encoded because it was copied
// from a URL.
func parseCode(text string) (pasted, error) {
	code, err := url.PathUnescape(strings.TrimPrefix(text, "code="))
	if err != nil || !isCode(code) || len(code) < minCode {
		return pasted{}, errPasteText
	}
	return pasted{code: code}, nil
}
