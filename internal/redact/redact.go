// Package redact removes secrets from text for people or files. It must not know
// the log or the error that the text comes from.
package redact

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// To returns a redactor that writes to w.
func To(w io.Writer) *Redactor { return &Redactor{to: w} }

// Redactor is the sink of every log line and error text: it removes the secrets
// added to it, values of keys that name a secret, and what looks like a bearer
// token. It does not rely on redaction by callers.
type Redactor struct {
	mu     sync.Mutex // guards what follows
	to     io.Writer
	values []string
}

// Redacted replaces a secret.
const Redacted = "[redacted]"

// minSecret is the minimum length of a secret, in bytes: shorter values may be
// ordinary words.
const minSecret = 6

// Redirect sends further output to w, for example to a prompt that shows log
// lines above itself.
func (r *Redactor) Redirect(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = w
}

// Hide adds the values of secrets.
func (r *Redactor) Hide(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		if len(v) < minSecret || slices.Contains(r.values, v) {
			continue
		}
		r.values = append(r.values, v)
		if quoted := strconv.Quote(v); quoted != `"`+v+`"` { // as in a quoted field of a log line
			r.values = append(r.values, quoted[1:len(quoted)-1])
		}
	}
}

// Write implements io.Writer for whole log lines.
func (r *Redactor) Write(line []byte) (int, error) {
	text := r.Clean(string(bytes.TrimRight(line, "\n"))) + "\n"
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if _, err := io.WriteString(to, text); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Clean returns a text without secrets.
func (r *Redactor) Clean(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.values {
		text = strings.ReplaceAll(text, v, Redacted)
	}
	p := patterns()
	text = p.scheme.ReplaceAllString(text, "$1$2 "+Redacted)
	text = p.jwt.ReplaceAllString(text, Redacted)
	text = p.json.ReplaceAllString(text, `$1"`+Redacted+`"`)
	return p.plain.ReplaceAllString(text, "$1"+Redacted)
}

// shapes are patterns of secrets in texts.
type shapes struct{ scheme, jwt, json, plain *regexp.Regexp }

// patterns are compiled when the first line is written: the hot path logs
// nothing.
var patterns = sync.OnceValue(func() shapes {
	const keys = `(?:access_token|refresh_token|id_token|client_secret|device_code|code_verifier|registration_access_token|assertion|client_assertion|subject_token|actor_token|password|passphrase|authorization)`
	return shapes{
		scheme: regexp.MustCompile(`(?i)(^|[^\w-])(bearer|dpop|basic) (?:[^\s"\\]|\\.){8,}`), // not the flow jwt-bearer
		jwt:    regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*`),
		json:   regexp.MustCompile(`(?i)("` + keys + `":)"(?:[^"\\]|\\.)*"`),
		plain:  regexp.MustCompile(`(?i)(\b` + keys + `=)("(?:[^"\\]|\\.)*"|[^\s&"'\[]+)`),
	}
})
