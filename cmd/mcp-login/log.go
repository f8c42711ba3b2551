package main

import (
	"bytes"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// newLog returns a log that writes to standard error through the redactor.
func (e *env) newLog(level, format string) (zerolog.Logger, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		return zerolog.Nop(), usagef("--log-level %q: give trace, debug, info, warn, error or disabled", level)
	}
	e.hidden.redirect(e.err)
	var w io.Writer = e.hidden
	switch format {
	case "json":
	case "text":
		w = &zerolog.ConsoleWriter{Out: e.hidden, NoColor: true, TimeFormat: time.TimeOnly}
	default:
		return zerolog.Nop(), usagef("--log-format %q: give text or json", format)
	}
	return zerolog.New(w).Level(l).With().Timestamp().Logger(), nil
}

// slog returns the logger for the libraries, which know the standard one only.
func (e *env) slog() *slog.Logger {
	if e.log.GetLevel() == zerolog.Disabled {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(zerolog.NewSlogHandler(e.log))
}

// redactor is the sink of every log line and error text: it takes out the
// secrets it was told of, values of keys that name a secret, and what looks
// like a bearer token. Nothing upstream is trusted to have done so.
type redactor struct {
	to io.Writer

	mu     sync.Mutex // guards to and values
	values []string
}

const redacted = "[redacted]"

// minSecret keeps short values, which may be words of any text, from being
// taken out everywhere.
const minSecret = 6

// redirect sends what follows to w: a prompt keeps log lines above itself.
func (r *redactor) redirect(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = w
}

// hide tells of a secret's value.
func (r *redactor) hide(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		if len(v) < minSecret || slices.Contains(r.values, v) {
			continue
		}
		r.values = append(r.values, v)
		if quoted := strconv.Quote(v); quoted != `"`+v+`"` { // as it stands in a quoted field of a log line
			r.values = append(r.values, quoted[1:len(quoted)-1])
		}
	}
}

// Write implements io.Writer for whole log lines.
func (r *redactor) Write(line []byte) (int, error) {
	text := r.clean(string(bytes.TrimRight(line, "\n"))) + "\n"
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if _, err := io.WriteString(to, text); err != nil {
		return 0, err
	}
	return len(line), nil
}

func (r *redactor) clean(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.values {
		text = strings.ReplaceAll(text, v, redacted)
	}
	p := patterns()
	text = p.scheme.ReplaceAllString(text, "$1$2 "+redacted)
	text = p.jwt.ReplaceAllString(text, redacted)
	text = p.json.ReplaceAllString(text, `$1"`+redacted+`"`)
	return p.plain.ReplaceAllString(text, "$1"+redacted)
}

// shapes are what secrets look like in texts.
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
