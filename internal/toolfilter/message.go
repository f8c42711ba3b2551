package toolfilter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	callTool     = "tools/call"
	listTools    = "tools/list"
	toolsChanged = "notifications/tools/list_changed"
)

// ErrAmbiguous means that readers could interpret a message differently: it has a member
// twice or in another case, or names and methods that are not plain text.
var ErrAmbiguous = errors.New("the message can be read in more than one way")

// member is a member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// decodeObject returns the members of an object in their order; nil if it is none.
func decodeObject(text []byte) []member {
	d := json.NewDecoder(bytes.NewReader(text))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil
	}
	all := []member{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		m := member{}
		if m.name, _ = name.(string); d.Decode(&m.value) != nil {
			return nil
		}
		all = append(all, m)
	}
	return all
}

// encodeObject is the reverse of decodeObject.
func encodeObject(all []member) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(m.name) // a string always encodes
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// memberValue returns the value of the first member of a name; nil if there is none.
func memberValue(all []member, name string) json.RawMessage {
	for _, m := range all {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// message is what the filter needs of a client's message.
type message struct {
	id     json.RawMessage // nil if it is not a request
	method string          // "" if it is a response
	tool   string          // of a call
	meta   json.RawMessage // params._meta of a call
}

// isCall reports a call. It may also be a notification, which some servers carry out too.
func (m message) isCall() bool { return m.method == callTool }

// readMessages reads a body, which is a message or, in 2025-03-26, a batch. The error is
// ErrAmbiguous, or says that the body is neither.
func readMessages(body []byte) (all []message, batch bool, err error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, false, errors.New("not JSON in UTF-8")
	}
	texts := []json.RawMessage{body}
	if batch = bytes.TrimSpace(body)[0] == '['; batch {
		if err := json.Unmarshal(body, &texts); err != nil {
			return nil, true, errors.New("not a batch of messages")
		}
	}
	for _, text := range texts {
		m, err := readMessage(text)
		if err != nil {
			return nil, batch, err
		}
		all = append(all, m)
	}
	return all, batch, nil
}

func readMessage(text []byte) (m message, err error) {
	all := decodeObject(text)
	if all == nil {
		return m, errors.New("not a JSON-RPC message")
	}
	if err := unambiguous(all, "jsonrpc", "id", "method", "params", "result", "error"); err != nil {
		return m, err
	}
	if m.id = memberValue(all, "id"); string(m.id) == "null" {
		m.id = nil
	}
	method := memberValue(all, "method")
	if method == nil {
		return m, nil
	}
	if m.method, err = plainText(method); err != nil {
		return m, fmt.Errorf("%w: its method is not plain text", ErrAmbiguous)
	}
	if m.method != callTool && lettersOnly(m.method) == lettersOnly(callTool) {
		return m, fmt.Errorf("%w: its method is almost %s", ErrAmbiguous, callTool)
	}
	if m.isCall() {
		err = m.readCall(memberValue(all, "params"))
	}
	return m, err
}

// readCall reads the parameters of a call.
func (m *message) readCall(params json.RawMessage) (err error) {
	all := decodeObject(params)
	if err := unambiguous(all, "name", "arguments", "_meta"); err != nil {
		return err
	}
	m.meta = memberValue(all, "_meta")
	var name *string
	if json.Unmarshal(memberValue(all, "name"), &name) != nil || name == nil {
		return errors.New("the call names no tool")
	}
	if strings.ContainsFunc(*name, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }) {
		return fmt.Errorf("%w: the tool's name is not plain text", ErrAmbiguous)
	}
	m.tool = *name
	return nil
}

// unambiguous rejects members that some readers confuse or drop: some readers ignore case,
// some take the first of two members and some the last, and some end a name at a zero byte.
func unambiguous(all []member, known ...string) error {
	seen := map[string]string{}
	for _, name := range known {
		seen[fold(name)] = name
	}
	once := map[string]bool{}
	for _, m := range all {
		folded := fold(m.name)
		if is, found := seen[folded]; found && is != m.name || once[folded] || !isPlain(m.name) {
			return fmt.Errorf("%w: %q", ErrAmbiguous, displayName(m.name))
		}
		once[folded] = true
	}
	return nil
}

// fold returns a name as readers that ignore case read it.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// lettersOnly returns the letters of a method, without its separators.
func lettersOnly(method string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, method))
}

// plainText decodes a string of visible ASCII.
func plainText(text json.RawMessage) (string, error) {
	var s *string
	if json.Unmarshal(text, &s) != nil || s == nil || *s == "" || !isPlain(*s) {
		return "", ErrAmbiguous
	}
	return *s, nil
}

func isPlain(s string) bool { return ascii.Only(s, ascii.Visible) }

// errHeaders means that a header contradicts the body, for which SEP-2243 has an error
// code.
var errHeaders = errors.New("a header does not match the body")

// checkHeaders rejects headers that contradict the body (SEP-2243), because a server, or a
// gateway before it, may rely on them.
func checkHeaders(h http.Header, all []message) error {
	methods, names := h.Values(mcpwire.HeaderMethod), h.Values(mcpwire.HeaderName)
	if len(methods)+len(names) == 0 {
		return nil
	}
	if len(all) != 1 || len(methods) > 1 || len(names) > 1 || len(methods) == 1 && methods[0] != all[0].method {
		return fmt.Errorf("%w: "+mcpwire.HeaderMethod, errHeaders)
	}
	if all[0].isCall() && len(names) == 1 && mcpwire.HeaderText(names[0]) != all[0].tool {
		return fmt.Errorf("%w: "+mcpwire.HeaderName, errHeaders)
	}
	return nil
}
