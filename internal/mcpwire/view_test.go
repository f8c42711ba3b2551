package mcpwire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// FuzzView: the parts of a text are the same as with encoding/json.
func FuzzView(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Add([]byte(` [ 1 , "a]\"" , {"b":[{}]} , null ] x`))
	f.Fuzz(func(t *testing.T, text []byte) {
		value := mcpwire.Prefix(text)
		d := json.NewDecoder(strings.NewReader(string(text)))
		var first json.RawMessage
		if err := d.Decode(&first); err != nil && value != nil && json.Valid(text) || json.Valid(text) && string(value) != string(first) {
			t.Fatalf("%q begins with %q, want %q", text, value, first)
		}
		if value == nil {
			return
		}
		if !json.Valid(value) {
			t.Fatalf("%q begins with %q", text, value)
		}
		var list []json.RawMessage
		_ = json.Unmarshal(value, &list) // none if it is not a list
		n := 0
		for at := range mcpwire.Elements(value) {
			if n >= len(list) || string(value[at.Start:at.End]) != string(list[n]) {
				t.Fatalf("%q: element %d is %q", value, n, value[at.Start:at.End])
			}
			n++
		}
		if n != len(list) {
			t.Fatalf("%q: %d elements, want %d", value, n, len(list))
		}
		var members map[string]json.RawMessage
		_ = json.Unmarshal(value, &members) // none if it is not an object
		for name := range mcpwire.Members(value) {
			if string(mcpwire.Member(value, name)) != string(members[name]) {
				t.Fatalf("%q: %q is %q, want %q", value, name, mcpwire.Member(value, name), members[name])
			}
			n++
		}
		if n < len(members) {
			t.Fatalf("%q: %d members, want %d", value, n, len(members))
		}
	})
}
