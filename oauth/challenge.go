package oauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// Challenge is one challenge of a WWW-Authenticate header (RFC 9110 §11.6.1).
type Challenge struct {
	Scheme  string            // lower case
	Params  map[string]string // names in lower case; nil: none
	Token68 string            // the alternative to Params (RFC 9110 §11.2); "": none
}

// Scopes returns the scopes of a challenge (RFC 6750 §3). It drops everything
// that is not a scope-token (RFC 6749 §3.3): a header can hold any text, and
// scopes are shown, logged and put into suggested commands.
func (c Challenge) Scopes() []string {
	text := c.Params["scope"]
	if len(text) > maxScope {
		return nil
	}
	return slices.DeleteFunc(strings.Fields(text), func(s string) bool { return !isScope(s) })
}

// ParseChallenges returns the challenges of all WWW-Authenticate headers, in
// order. It is lenient: it skips malformed text up to the next comma, and uses
// the first of duplicate parameters.
func ParseChallenges(h http.Header) []Challenge {
	var list []Challenge
	for _, line := range h.Values("WWW-Authenticate") {
		list = append(list, parseLine(line)...)
	}
	return list
}

// parseLine splits a list in which commas separate both challenges and
// parameters: after a comma, a name with a "=" is a parameter, any other is a
// challenge.
func parseLine(line string) []Challenge {
	var list []Challenge
	in := scanner(line)
	for in.skip(" \t,"); in != ""; in.skip(" \t,") {
		start := in
		name := in.token()
		if name == "" {
			in.skipToComma()
			continue
		}
		if len(list) > 0 && in.isParam() {
			if last := &list[len(list)-1]; last.Token68 == "" {
				in = start
				in.param(last)
			}
			in.skipToComma()
			continue
		}
		c := Challenge{Scheme: strings.ToLower(name)}
		if in.skip(" \t") && !in.token68(&c) && in != "" && in[0] != ',' {
			in.param(&c)
		}
		list = append(list, c)
	}
	return list
}

// scanner is the unread part of a header value.
type scanner string

// skip drops leading bytes that are in set and reports whether it dropped any.
func (s *scanner) skip(set string) bool {
	rest := scanner(strings.TrimLeft(string(*s), set))
	dropped := len(rest) < len(*s)
	*s = rest
	return dropped
}

// token reads a token (RFC 9110 §5.6.2); "" if none.
func (s *scanner) token() string {
	n := 0
	for n < len(*s) && ascii.TokenChar(rune((*s)[n])) {
		n++
	}
	t := string((*s)[:n])
	*s = (*s)[n:]
	return t
}

// isParam reports whether the token just read is a parameter name.
func (s scanner) isParam() bool {
	s.skip(" \t")
	return strings.HasPrefix(string(s), "=")
}

// param reads "name = value" into c; it skips malformed and duplicate ones.
func (s *scanner) param(c *Challenge) {
	name := strings.ToLower(s.token())
	s.skip(" \t")
	if name == "" || !strings.HasPrefix(string(*s), "=") {
		s.skipToComma()
		return
	}
	*s = (*s)[1:]
	s.skip(" \t")
	value, ok := s.value()
	if _, twice := c.Params[name]; twice || !ok {
		s.skipToComma()
		return
	}
	if c.Params == nil {
		c.Params = make(map[string]string)
	}
	c.Params[name] = value
	s.skipToComma()
}

// value reads a token or a quoted string. An unterminated string is not ok.
func (s *scanner) value() (string, bool) {
	if !strings.HasPrefix(string(*s), `"`) {
		v := s.unquoted()
		return v, v != ""
	}
	var b strings.Builder
	for i := 1; i < len(*s); i++ {
		switch ch := (*s)[i]; {
		case ch == '"':
			*s = (*s)[i+1:]
			return b.String(), true
		case ch == '\\' && i+1 < len(*s):
			i++
			b.WriteByte((*s)[i])
		default:
			b.WriteByte(ch)
		}
	}
	*s = ""
	return "", false
}

// unquoted reads a value without quotes. It allows more than a token, because
// servers send URLs without quotes.
func (s *scanner) unquoted() string {
	n := strings.IndexAny(string(*s), " \t,\"")
	if n < 0 {
		n = len(*s)
	}
	v := string((*s)[:n])
	*s = (*s)[n:]
	return v
}

// token68 reads a token68 (RFC 9110 §11.2), as Negotiate uses it. Only a comma
// may follow it.
func (s *scanner) token68(c *Challenge) bool {
	n := 0
	for n < len(*s) && isB64Token(rune((*s)[n])) {
		n++
	}
	end := n
	for end < len(*s) && (*s)[end] == '=' {
		end++
	}
	rest := (*s)[end:]
	rest.skip(" \t")
	if n == 0 || rest != "" && rest[0] != ',' {
		return false
	}
	c.Token68 = string((*s)[:end])
	*s = rest
	return true
}

// skipToComma skips to the next comma outside quotes.
func (s *scanner) skipToComma() {
	quoted := false
	for i := 0; i < len(*s); i++ {
		switch ch := (*s)[i]; {
		case ch == '\\' && quoted:
			i++
		case ch == '"':
			quoted = !quoted
		case ch == ',' && !quoted:
			*s = (*s)[i:]
			return
		}
	}
	*s = ""
}
