package mcpwire

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// The headers of Streamable HTTP.
const (
	HeaderSession = "Mcp-Session-Id"
	HeaderVersion = "Mcp-Protocol-Version"
	HeaderMethod  = "Mcp-Method"
	HeaderName    = "Mcp-Name"
	HeaderResume  = "Last-Event-ID"
	HeaderParam   = "Mcp-Param-" // the beginning of a name
)

// The media types of Streamable HTTP.
const (
	TypeJSON   = "application/json"
	TypeEvents = "text/event-stream"
)

// Stateless is the first version without sessions, in which headers repeat what the
// body says (SEP-2243). Versions are dates and compare as text.
const Stateless = "2026-07-28"

// MediaType returns a response's media type without its parameters, in lower case; "" if it
// has none. Parameters that cannot be parsed do not hide the type, because some clients
// do not parse them either.
func MediaType(resp *http.Response) string {
	t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// Repeated is what headers repeat of a message (SEP-2243).
type Repeated struct {
	Method    string                     // "": the message is an answer, and nothing is repeated
	Name      string                     // of a tool or a prompt, or a resource's URI; "": none
	Arguments map[string]json.RawMessage // of a tool
	Bindings  []Binding                  // of the tool
}

// SetOn sets the headers.
func (r Repeated) SetOn(h http.Header) {
	if r.Method == "" {
		return
	}
	h.Set(HeaderMethod, r.Method)
	if r.Name != "" {
		h.Set(HeaderName, encode(r.Name))
	}
	for _, b := range r.Bindings {
		if value, ok := b.value(r.Arguments); ok {
			h.Set(HeaderParam+b.header, encode(value))
		}
	}
}

// Binding is an argument that a header repeats, because a tool's schema says so by
// x-mcp-header.
type Binding struct {
	path   []string // names of nested properties
	header string
}

// schema is what a binding is read from.
type schema struct {
	Header     string            `json:"x-mcp-header"`
	Properties map[string]schema `json:"properties"`
}

// Bindings returns the bindings of each tool in an answer to tools/list. It reads the
// answer once, because a schema may be deep.
func Bindings(text []byte) map[string][]Binding {
	var answer struct {
		Result struct {
			Tools []struct {
				Name  string `json:"name"`
				Input schema `json:"inputSchema"`
			} `json:"tools"`
		} `json:"result"`
	}
	// What is of another type than expected, such as a schema that is true, is
	// left out; the client will find out what is wrong with the rest.
	_ = json.Unmarshal(text, &answer)
	bound := map[string][]Binding{}
	for _, tool := range answer.Result.Tools {
		bound[tool.Name] = tool.Input.find(nil)
	}
	return bound
}

// maxNesting bounds where bindings are looked for.
const maxNesting = 16

// find returns the bindings of a schema and of all below it.
func (s schema) find(path []string) []Binding {
	if len(path) > maxNesting {
		return nil
	}
	var all []Binding
	if len(path) > 0 && isToken(s.Header) {
		all = append(all, Binding{path, s.Header})
	}
	for name, property := range s.Properties {
		all = append(all, property.find(append(path[:len(path):len(path)], name))...)
	}
	return all
}

// isToken reports whether s can be part of a header's name (RFC 9110 §5.6.2).
func isToken(s string) bool {
	return s != "" && ascii.Only(s, ascii.TokenChar)
}

// value returns the argument as text, if it is there and of a kind that a
// header may repeat: a string, a boolean, or an integer that every JSON reader
// takes for the same.
func (b Binding) value(args map[string]json.RawMessage) (string, bool) {
	for _, name := range b.path[:len(b.path)-1] {
		var next map[string]json.RawMessage
		if json.Unmarshal(args[name], &next) != nil {
			return "", false
		}
		args = next
	}
	var v any
	if json.Unmarshal(args[b.path[len(b.path)-1]], &v) != nil {
		return "", false
	}
	const safe = 1<<53 - 1
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= safe {
			return strconv.FormatInt(int64(v), 10), true
		}
	}
	return "", false
}

// The marks around a text in base64.
const base64Begin, base64End = "=?base64?", "?="

// encode makes a text safe in a header: as it is where that is unambiguous,
// else in base64 with marks around.
func encode(s string) string {
	if s == strings.Trim(s, " ") && ascii.Only(s, ascii.Printable) && !(strings.HasPrefix(s, base64Begin) && strings.HasSuffix(s, base64End)) {
		return s
	}
	return base64Begin + base64.StdEncoding.EncodeToString([]byte(s)) + base64End
}

// HeaderText returns the text of a header that repeats a part of a message.
func HeaderText(header string) string {
	if inner, ok := strings.CutPrefix(header, base64Begin); ok {
		if text, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, base64End)); err == nil {
			return string(text)
		}
	}
	return header
}
