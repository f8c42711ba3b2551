package eventstream_test

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mcp-login/mcp-login/internal/eventstream"
)

// FuzzReader: the events do not depend on how the stream is split, are within the
// limit, and are parsed back after they are written again.
func FuzzReader(f *testing.F) {
	for _, text := range []string{
		"data: a\n\n", ": c\r\nevent: message\r\ndata: a\r\ndata:b\r\n\r\n", "id: 7\nretry: 10\n\ndata\n\n", "data: cut off",
		"data: " + strings.Repeat("x", 40<<10) + "\r\n\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, at := all(t, bytes.NewReader(text))
		parts, atParts := all(t, iotest.OneByteReader(bytes.NewReader(text)))
		if !reflect.DeepEqual(whole, parts) || at != atParts {
			t.Fatalf("at once %q %+v, byte by byte %q %+v", whole, at, parts, atParts)
		}
		for _, event := range whole {
			data := strings.TrimRight(event[1], "\r\n")
			if again, _ := all(t, bytes.NewReader(eventstream.Message([]byte(data)))); data != "" && (len(again) != 1 || again[0][1] != data) {
				t.Fatalf("%q is parsed back as %q", data, again)
			}
		}
	})
}

// all returns the names and data of a stream's events.
func all(t *testing.T, stream io.Reader) (events [][2]string, at eventstream.Cursor) {
	const limit = 64 << 10
	data := &eventstream.Buffer{Limit: limit}
	r := eventstream.NewReader(stream, limit, data, &at)
	for {
		name, err := r.Next()
		if err != nil {
			return events, at
		}
		if len(data.Bytes) > limit {
			t.Fatalf("%d bytes", len(data.Bytes))
		}
		events = append(events, [2]string{name, string(data.Bytes)})
	}
}
