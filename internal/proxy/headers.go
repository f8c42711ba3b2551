package proxy

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
	headerSession = "Mcp-Session-Id"
	headerVersion = "Mcp-Protocol-Version"
	headerMethod  = "Mcp-Method"
	headerName    = "Mcp-Name"
	headerParam   = "Mcp-Param-"
	headerResume  = "Last-Event-ID"
)

// statelessVersion is the first version without sessions, in which the headers repeat
// what the body says (SEP-2243). Versions are dates and compare as text.
const statelessVersion = "2026-07-28"

// setRoutingHeaders sets the headers that say again what the message does, for those who
// route by headers.
func setRoutingHeaders(h http.Header, m message, bound map[string][]binding) {
	if m.Method == "" {
		return
	}
	h.Set(headerMethod, m.Method)
	if name := m.routingName(); name != "" {
		h.Set(headerName, encodeHeader(name))
	}
	if m.Method != methodCallTool {
		return
	}
	for _, b := range bound[m.Params.Name] {
		if value, ok := b.value(m.Params.Arguments); ok {
			h.Set(headerParam+b.header, encodeHeader(value))
		}
	}
}

// binding is an argument that a header repeats: a tool's schema says so by
// x-mcp-header.
type binding struct {
	path   []string // names of nested properties
	header string
}

// schema is what a binding is read from.
type schema struct {
	Header     string            `json:"x-mcp-header"`
	Properties map[string]schema `json:"properties"`
}

// bindings reads a result of tools/list, in one pass: a schema may be deep.
func bindings(text []byte) map[string][]binding {
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
	bound := map[string][]binding{}
	for _, tool := range answer.Result.Tools {
		bound[tool.Name] = tool.Input.find(nil)
	}
	return bound
}

// maxNesting bounds where bindings are looked for.
const maxNesting = 16

// find returns the bindings of a schema and of all below it.
func (s schema) find(path []string) []binding {
	if len(path) > maxNesting {
		return nil
	}
	var all []binding
	if len(path) > 0 && isToken(s.Header) {
		all = append(all, binding{path, s.Header})
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
func (b binding) value(args map[string]json.RawMessage) (string, bool) {
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

// encodeHeader makes a text safe in a header: as it is where that is unambiguous,
// else in base64 with marks around.
func encodeHeader(s string) string {
	const begin, end = "=?base64?", "?="
	if s == strings.Trim(s, " ") && ascii.Only(s, ascii.Printable) && !(strings.HasPrefix(s, begin) && strings.HasSuffix(s, end)) {
		return s
	}
	return begin + base64.StdEncoding.EncodeToString([]byte(s)) + end
}
