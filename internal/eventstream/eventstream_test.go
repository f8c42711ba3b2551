package eventstream_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/eventstream"
)

const limit = 1 << 20

func reader(r io.Reader) (*eventstream.Reader, *eventstream.Buffer, *eventstream.Cursor) {
	data, at := &eventstream.Buffer{Limit: limit}, &eventstream.Cursor{}
	return eventstream.NewReader(r, limit, data, at), data, at
}

// TestEvents: long lines, several lines of data, comments, both line ends.
func TestEvents(t *testing.T) {
	long := strings.Repeat("y", 100<<10)
	text := ": comment\r\nevent: endpoint\r\ndata: /x\r\n\r\nid: 7\ndata: a\ndata:b\n\nevent: only a name\n\ndata: " + long + "\n\ndata: cut off"
	r, data, _ := reader(strings.NewReader(text))
	for _, want := range [][2]string{{"endpoint", "/x"}, {"", "a\nb"}, {"", long}} {
		name, err := r.Next()
		if err != nil || name != want[0] || string(data.Bytes) != want[1] {
			t.Errorf("%q %d bytes %v, want %q", name, len(data.Bytes), err, want[0])
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// TestLineEndsOfLongLines: a line that is read in parts ends where a short one does,
// wherever a part ends.
func TestLineEndsOfLongLines(t *testing.T) {
	for size := 32<<10 - 10; size < 32<<10+10; size++ {
		for _, end := range []string{"\n", "\r\n"} {
			want := strings.Repeat("x", size/2) + "\r" + strings.Repeat("y", size-size/2)
			r, data, _ := reader(strings.NewReader("data: " + want + end + "data: z" + end + end))
			if _, err := r.Next(); err != nil || string(data.Bytes) != want+"\nz" {
				t.Fatalf("%d bytes and %q: %d bytes, %v", size, end, len(data.Bytes), err)
			}
		}
	}
	// A \r at the end of a part belongs to the data unless the line ends there.
	want := strings.Repeat("x", 32<<10-len("data: ")-1) + "\r" + "more"
	r, data, _ := reader(strings.NewReader("data: " + want + "\r\n\r\n"))
	if _, err := r.Next(); err != nil || string(data.Bytes) != want {
		t.Errorf("%d bytes, want %d: %v", len(data.Bytes), len(want), err)
	}
}

// TestCursor: the id and the wait count from events without data too, and an id that
// no header can carry is none.
func TestCursor(t *testing.T) {
	r, _, at := reader(strings.NewReader("id: 1\nretry: 250\n\ndata: a\n\nid: " + strings.Repeat("i", 5<<10) + "\ndata: b\n\nid: 2\x01\ndata: c\n\n"))
	for _, want := range []string{"1", "", ""} {
		if _, err := r.Next(); err != nil || at.ID != want || at.Retry != 250*time.Millisecond {
			t.Errorf("%+v, %v, want id %q", at, err, want)
		}
	}
}

// TestEndlessLines: no line and no event fills the memory.
func TestEndlessLines(t *testing.T) {
	for _, begin := range []string{"data: ", ": comment", "event: ", "id: "} {
		r, data, _ := reader(io.MultiReader(strings.NewReader(begin), endless("x")))
		if _, err := r.Next(); !errors.Is(err, eventstream.ErrTooLong) || !strings.Contains(err.Error(), fmt.Sprint(limit)) || len(data.Bytes) > limit {
			t.Errorf("%q: %v", begin, err)
		}
	}
	r, data, _ := reader(endless("data: x\n"))
	if _, err := r.Next(); !errors.Is(err, eventstream.ErrTooLong) || len(data.Bytes) > limit {
		t.Errorf("endless lines of data: %v", err)
	}
}

// endless is a text again and again.
type endless string

func (e endless) Read(p []byte) (n int, err error) {
	for len(p)-n >= len(e) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// TestMessage: what is written reads back.
func TestMessage(t *testing.T) {
	for _, text := range []string{`{"a":1}`, "{\n\"a\": 1\n}", "", strings.Repeat("x", 100<<10)} {
		r, data, _ := reader(strings.NewReader(string(eventstream.Message([]byte(text)))))
		name, err := r.Next()
		if text == "" {
			if !errors.Is(err, io.EOF) {
				t.Errorf("no text: %q, %v", name, err)
			}
			continue
		}
		if err != nil || name != "message" || string(data.Bytes) != text {
			t.Errorf("%q: %q %q, %v", text, name, data.Bytes, err)
		}
	}
}
