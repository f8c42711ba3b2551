package toolfilter

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// names returns the tools of a message, as encoding/json finds them.
func names(text []byte) (all []string) {
	var message struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	var tools []struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(text, &message) != nil || json.Unmarshal(message.Result["tools"], &tools) != nil {
		return nil
	}
	for _, t := range tools {
		all = append(all, t.Name)
	}
	return all
}

// FuzzFilterMessages: the filtered message is JSON without the denied tools and
// with all others.
func FuzzFilterMessages(f *testing.F) {
	for _, list := range []string{
		``, `{"name":"x1"}`, `{"name":"a"}`, `{"name":"x1"},{"name":"a"}`, `{"name":"a"} , {"name":"x1"}`, `{"name":"x1"},{"name":"X2"}`,
		`{"name":"a"},{"name":"x1"},{"name":"x2"},{"name":"b"},{"name":"x3"}`, `{},7,{"name":"a","name":"x1"},null,{"name":"a,]}"}`,
	} {
		f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[` + list + `],"nextCursor":"c"}}`))
		f.Add([]byte(`[{"result":{"tools":[` + list + `]}}, {"result":{"tools":[ ` + list + ` ],"tools":[` + list + `]}}] x`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		filter, err := New(Rules{Deny: []string{"x*"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := filter.filterMessages(bytes.Clone(text))
		if json.Valid(text) && !json.Valid(got) {
			t.Fatalf("%q became %q", text, got)
		}
		before, after := names(text), names(got)
		var plain map[string]json.RawMessage
		if json.Unmarshal(text, &plain) != nil || plain["result"] == nil || bytes.Contains(bytes.ToLower(text), []byte("\\u")) {
			return // names with other case or escapes, which encoding/json treats as the same
		}
		denied := func(name string) bool {
			return name == "" || strings.HasPrefix(strings.ToLower(name), "x") || len(name) > maxName
		}
		if slices.ContainsFunc(after, denied) && bytes.Equal(bytes.ToLower(text), text) && bytes.Count(text, []byte(`"name"`)) == len(before) {
			t.Fatalf("%q: %q remain of %q", text, after, before)
		}
	})
}

// TestFilteredList: elements are removed with their commas, whichever remain.
func TestFilteredList(t *testing.T) {
	for list, want := range map[string]string{
		`[]`:                               `[]`,
		`[{"name":"x"}]`:                   `[]`,
		`[ {"name":"x"} , {"name":"x2"} ]`: `[  ]`,
		`[{"name":"x"},{"name":"a"}]`:      `[{"name":"a"}]`,
		`[{"name":"a"},{"name":"x"}]`:      `[{"name":"a"}]`,
		`[{"name":"a"},{"name":"x"},7,{"name":"b"},{"name":"X"}]`: `[{"name":"a"},{"name":"b"}]`,
		`[{"name":"x"},{},{"name":"a"},{"name":"b"}]`:             `[{"name":"a"},{"name":"b"}]`,
		`{"name":"x"}`: `{"name":"x"}`,
	} {
		filter, err := New(Rules{Deny: []string{"x*"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range [][2]string{{`{"id":1,"result":{"tools":`, `}}`}, {`[{"result":{"tools":`, `,"y":1}},{}]`}, {`{"result":{"tools":[{"name":"x"}],"tools":`, `}}`}} {
			before, after := frame[0], frame[1]
			got := string(filter.filterMessages([]byte(before + list + after)))
			if expected := strings.Replace(before, `[{"name":"x"}]`, `[]`, 1) + want + after; got != expected {
				t.Errorf("%s became %s, want %s", before+list+after, got, expected)
			}
		}
	}
}

// TestEventsOfAllLineEnds: a list is filtered with any line ends of the events:
// some clients end a line at a lone \r, as the standard allows.
func TestEventsOfAllLineEnds(t *testing.T) {
	const before = `: comment|id: 7|event: message|data: {"id":1,|data: "result":{"tools":[{"name":"x"},{"name":"a"}]}}||data: [1]||: still there||data: cut off`
	const after = `: comment|id: 7|event: message|data: {"id":1, "result":{"tools":[{"name":"a"}]}}||data: [1]||: still there||`
	for _, end := range []string{"\n", "\r\n", "\r"} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader} {
			filter, err := New(Rules{Deny: []string{"x*"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			body := wrap(strings.NewReader(strings.ReplaceAll(before, "|", end)))
			s := &stream{io.NopCloser(nil), newEvents(t.Context(), body), filter.filterMessages}
			if got, err := io.ReadAll(s); err != nil || string(got) != strings.ReplaceAll(after, "|", "\n") {
				t.Errorf("%q, %s: %q, %v", end, name, got, err)
			}
		}
	}
}

// TestManyShortLines: a message of many lines takes only a few times its length in
// memory, which the budget counts.
func TestManyShortLines(t *testing.T) {
	const count = 2 << 20
	text := "data:{\"result\":{\"tools\":[{\"name\":\"x\"}" + strings.Repeat("\ndata", count) + "\ndata:]}}\n\n"
	filter, err := New(Rules{Deny: []string{"x*"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{io.NopCloser(nil), newEvents(t.Context(), strings.NewReader(text)), filter.filterMessages}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, s)
	runtime.ReadMemStats(&after)
	if err != nil || n < count || n > 2*count {
		t.Errorf("%d bytes, %v", n, err)
	}
	if grown := int(after.TotalAlloc - before.TotalAlloc); grown > 6*len(text) {
		t.Errorf("%d bytes were allocated for %d", grown, len(text))
	}
}

// TestNotificationInAnyBlock: a notification of changed tools is found across the
// blocks of a long event.
func TestNotificationInAnyBlock(t *testing.T) {
	for size := 64<<10 - 40; size < 64<<10+10; size++ {
		filter, err := New(Rules{Deny: []string{"x*"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		filter.noteTool(tool{name: "a"})
		text := "data: " + strings.Repeat(" ", size) + `{"method":"notifications/tools/list_changed"}` + "\n\n"
		s := &stream{io.NopCloser(nil), newEvents(t.Context(), strings.NewReader(text)), filter.filterMessages}
		if got, err := io.ReadAll(s); err != nil || string(got) != text {
			t.Errorf("%d bytes, want %d: %v", len(got), len(text), err)
		}
		if len(filter.known) > 0 {
			t.Errorf("after %d bytes, the notification was missed", size)
		}
	}
}
