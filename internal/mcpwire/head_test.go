package mcpwire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// byEncodingJSON parses a head with encoding/json.
func byEncodingJSON(text []byte) (h mcpwire.Head, ok bool) {
	var m struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Error   json.RawMessage `json:"error"`
	}
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(text, &m) != nil || m.Version != "2.0" {
		return h, false
	}
	if string(m.ID) == "null" {
		m.ID = nil
	}
	return mcpwire.Head{ID: m.ID, Method: m.Method, Error: m.Error}, true
}

var texts = []string{
	`{"jsonrpc":"2.0","id":7,"result":{"a":[1,{"id":8}]}}`,
	` {"result":{"id":8,"method":"x"} , "id" : "a\u0062" , "jsonrpc":"2\u002e0"} ` + "\n",
	`{"jsonrpc":"2.0","id":1,"id":2,"method":"a","method":"b","METHOD":"c"}`,
	`{"jsonrpc":"2.0","\u0069d":1,"ID":2,"Method":"x","jſonrpc":"2.0"}`,
	`{"jsonrpc":"2.0","id":null,"error":{"code":-1}}`, `{"jsonrpc":"2.0","id":1,"error":null}`,
	`{"jsonrpc":"2.0","method":"a","method":null}`, `{"jsonrpc":"2.0","method":8,"method":"a"}`, `{"jsonrpc":null}`,
	`{"jsonrpc":"2.0","id":-0.5e+10}`, `{"jsonrpc":"2.0","id":01}`, `{"jsonrpc":"2.0","id":1.}`, `{"jsonrpc":"2.0","id":1e}`, `{"jsonrpc":"2.0","id":-}`,
	`{"jsonrpc":"2.0","id":[{}, [] ,true,false,null]}`, `{"jsonrpc":"2.0","id":tru}`, `{"jsonrpc":"2.0",}`, `{,}`, `{"a"}`, `{"a":}`, `[1,]`, `[`, `{`, ``, `7`, `-1.5E-3`, `"a`, `"\u12G4"`, `"\x"`,
	"{\"jsonrpc\":\"2.0\",\"id\":\"a\tb\"}", "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}", `{"jsonrpc":"2.0"}{}`, `{"jsonrpc":"2.0"]`,
	`{"jsonrpc":"2.0","result":"` + strings.Repeat(`plain text, then \n and \" `, 50) + `","id":9}`,
	`{"jsonrpc":"2.0","` + strings.Repeat(`\u0069`, 100) + `":1,"id":"` + strings.Repeat("i", 400) + `"}`,
}

// TestHead: the scanner finds exactly what encoding/json finds.
func TestHead(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for _, text := range append(texts, nested(10_000), nested(10_001)) {
		compare(t, []byte(text), 3)
	}
}

// FuzzHead: the same for any text, in parts of any length.
func FuzzHead(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, part uint8) { compare(t, text, int(part)) })
}

func compare(t *testing.T, text []byte, part int) {
	t.Helper()
	var s mcpwire.Scanner
	for rest := text; len(rest) > 0; {
		n := min(max(part, 1), len(rest))
		_, _ = s.Write(rest[:n])
		rest = rest[n:]
	}
	if s.Complete() != json.Valid(text) {
		t.Fatalf("%.200q: complete: %t", text, s.Complete())
	}
	inParts, errInParts := s.Head(func(at mcpwire.Span) []byte { return text[at.Start:at.End] })
	got, err := mcpwire.ReadHead(text)
	want, ok := byEncodingJSON(text)
	for _, got := range []struct {
		mcpwire.Head
		err error
	}{{got, err}, {inParts, errInParts}} {
		if (got.err == nil) != ok {
			t.Fatalf("%.200q: %v, want a message: %t", text, got.err, ok)
		}
		if ok && (!bytes.Equal(got.ID, want.ID) || got.Method != want.Method || !bytes.Equal(got.Error, want.Error) || (got.Error == nil) != (want.Error == nil)) {
			t.Fatalf("%.200q: %s %q %s, want %s %q %s", text, got.ID, got.Method, got.Error, want.ID, want.Method, want.Error)
		}
	}
	if json.Valid(text) {
		if root, kind := s.Root(); !bytes.Equal(text[root.Start:root.End], bytes.Trim(text, " \t\r\n")) || kind != text[root.Start] {
			t.Fatalf("%.200q: the value is at %v and begins with %q", text, root, kind)
		}
		var list []json.RawMessage
		if json.Unmarshal(text, &list) == nil && len(list) != s.Elements() {
			t.Fatalf("%.200q: %d elements, want %d", text, s.Elements(), len(list))
		}
	}
}

// TestRequestID: the ID of a request that was not kept.
func TestRequestID(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":7,"method":"x","params":{"long`:                   "7",
		`{"params":{"id":8},"id":"a","method":"x"}`:              `"a"`,
		`{"id":7,"result":{"long`:                                "",
		`{"id":{},"method":"x"}`:                                 "",
		`{"id":"` + strings.Repeat("i", 300) + `","method":"x"}`: "",
	} {
		var s mcpwire.Scanner
		_, _ = s.Write([]byte(text))
		if got := string(s.RequestID()); got != want {
			t.Errorf("%.60s: %s, want %s", text, got, want)
		}
	}
}

func BenchmarkHead(b *testing.B) {
	text := []byte(`{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"` + strings.Repeat("x", 10_000_000) + `"}]}}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := mcpwire.ReadHead(text); err != nil {
			b.Fatal(err)
		}
	}
}
