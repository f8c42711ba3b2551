// Package extraheader adds the user's headers to requests to an MCP server, such as
// those that a gateway requires. It must not know what the headers mean, nor how
// requests are sent.
//
// # Security
//
// The headers are sent only to the server's own origin, never to other URLs of a
// redirect or a document. Errors never contain a value.
package extraheader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Headers are headers with values, which print as names only. The zero value is
// empty.
type Headers struct{ all []header }

type header struct{ name, value string }

// String returns the names.
func (h Headers) String() string {
	var names []string
	for _, one := range h.all {
		names = append(names, one.name)
	}
	return strings.Join(names, ", ")
}

// GoString returns the names.
func (h Headers) GoString() string { return h.String() }

// Errors of a header. They do not contain the header, which may be a secret.
var (
	errForm   = errors.New("use 'Name: value'")
	errSource = errors.New("use NAME=SOURCE, where SOURCE is " + secretref.Stored)
	errValue  = errors.New("its value is empty, or has characters that are not allowed in a header")
	errTwice  = errors.New("it is set twice")
)

// ForbiddenError means that the user may not set a header.
type ForbiddenError struct{ Name, Why string }

func (e *ForbiddenError) Error() string { return fmt.Sprintf("%s cannot be added: %s", e.Name, e.Why) }

// Read reads headers as they are typed: "Name: value", in which ${VARIABLE} stands for
// a variable of the environment, and NAME=SOURCE. All values are secrets to r.
func Read(ctx context.Context, typed, sources []string, r secretref.Reader) (h Headers, err error) {
	for _, text := range typed {
		name, value, found := strings.Cut(text, ":")
		if name = strings.TrimSpace(name); !found || !isName(name) {
			return Headers{}, exit.Usagef("--header: %w", errForm)
		}
		if value, err = expand(strings.TrimSpace(value), r); err == nil {
			r.Loaded(value)
			err = h.add(name, value)
		}
		if err != nil {
			return Headers{}, exit.Usagef("--header %s: %w", name, err)
		}
	}
	for _, text := range sources {
		name, source, found := strings.Cut(text, "=")
		if !found || !isName(name) {
			return Headers{}, exit.Usagef("--header-from: %w", errSource)
		}
		if _, err := secretref.Durable(source); err != nil {
			return Headers{}, exit.Usagef("--header-from %s: %w", name, err)
		}
		if err := forbidden(name); err != nil {
			return Headers{}, exit.Usagef("--header-from: %w", err) // before a command runs
		}
		value, err := r.Read(ctx, source, "its value")
		if err == nil {
			err = h.add(name, value)
		}
		if err != nil {
			return Headers{}, fmt.Errorf("--header-from %s: %w", name, err)
		}
	}
	return h, nil
}

func (h *Headers) add(name, value string) error {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\t' }
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch err := forbidden(name); {
	case err != nil:
		return err
	case value == "" || strings.ContainsFunc(value, control):
		return errValue
	case slices.ContainsFunc(h.all, func(other header) bool { return other.name == name }):
		return errTwice
	}
	h.all = append(h.all, header{name, value})
	return nil
}

var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{([^}]+)\}`) })

// expand replaces each ${VARIABLE}. Its value alone is a secret too: a server may repeat
// it without the text around it.
func expand(value string, r secretref.Reader) (string, error) {
	var missing string
	value = variable().ReplaceAllStringFunc(value, func(match string) string {
		name := match[2 : len(match)-1]
		text := r.Getenv(name)
		if text == "" {
			missing = name
		}
		r.Loaded(text)
		return text
	})
	if missing != "" {
		return "", fmt.Errorf("the variable %s is not set", missing)
	}
	return value, nil
}

// forbidden returns why the user may not set a header.
func forbidden(name string) error {
	name = textproto.CanonicalMIMEHeaderKey(name)
	if strings.HasPrefix(name, "Mcp-") {
		return &ForbiddenError{name, "the MCP transport sets it"}
	}
	for why, names := range map[string][]string{
		"mcp-login sends the token of the sign-in in it; a server that takes a token of your own needs no mcp-login": {"Authorization", "Dpop"},
		"it is for the next hop alone (RFC 9110 §7.6.1)":                                                             {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"},
		"it describes the message, which you do not write":                                                           {"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host", "Range"},
		"the MCP transport sets it":                                                                                  {"Last-Event-Id"},
	} {
		if slices.Contains(names, name) {
			return &ForbiddenError{name, why}
		}
	}
	return nil
}

// isName reports whether a text can be the name of a header.
func isName(s string) bool { return s != "" && ascii.Only(s, ascii.TokenChar) }

// Around returns a transport that adds the headers to what base sends to the origin of
// a server.
func (h Headers) Around(base http.RoundTripper, server string) http.RoundTripper {
	if len(h.all) == 0 {
		return base
	}
	u, err := url.Parse(server)
	if err != nil {
		return base // no URL has its origin
	}
	return &transport{h, base, u}
}

type transport struct {
	Headers
	base   http.RoundTripper
	server *url.URL
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !netcheck.SameOrigin(req.URL, t.server) {
		return t.base.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	for _, h := range t.all {
		req.Header.Set(h.name, h.value)
	}
	return t.base.RoundTrip(req)
}
