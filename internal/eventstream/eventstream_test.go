package eventstream_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
)

const limit = 1 << 20

func reader(r io.Reader) (*eventstream.Reader, *eventstream.Buffer, *eventstream.Cursor) {
	data, at := &eventstream.Buffer{Limit: limit}, &eventstream.Cursor{}
	return eventstream.NewReader(r, limit, data, at), data, at
}

// TestEvents: long lines, multiple data lines, comments, both kinds of line ends.
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

// TestLineEndsOfLongLines: a line that is read in parts has the same end as a short
// one, wherever a part ends, with each of the standard's three line ends.
func TestLineEndsOfLongLines(t *testing.T) {
	for size := 32<<10 - 10; size < 32<<10+10; size++ {
		for _, end := range []string{"\n", "\r\n", "\r"} {
			want := strings.Repeat("x", size)
			r, data, _ := reader(strings.NewReader("data: " + want + end + "data: z" + end + end + "data: next" + end + end))
			for _, want := range []string{want + "\nz", "next"} {
				if _, err := r.Next(); err != nil || string(data.Bytes) != want {
					t.Fatalf("%d bytes and %q: %d bytes, want %d, %v", size, end, len(data.Bytes), len(want), err)
				}
			}
		}
	}
}

// TestLines: the lines are the same however the stream is split into reads, and the
// end of a line is detected without the next byte.
func TestLines(t *testing.T) {
	const text, want = "a\r\nb\rc\n\r\r\n\n\rd\r", "a\nb\nc\n\n\n\n\nd\n"
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
		if got, err := io.ReadAll(eventstream.Lines(r)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	in, out := io.Pipe()
	defer in.Close()
	go out.Write([]byte("data: x\r\r"))
	r, data, _ := reader(in)
	if _, err := r.Next(); err != nil || string(data.Bytes) != "x" {
		t.Errorf("%q, %v", data.Bytes, err)
	}
}

// TestByteOrderMark: one byte order mark at the beginning of a stream is not part
// of the first field.
func TestByteOrderMark(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffdata: x\n": "data: x\n", "\ufeff\ufeffa\n": "\ufeffa\n", "\xef\xbba\n": "\xef\xbba\n", "\xef": "\xef", "a\ufeff\n": "a\ufeff\n", "": "",
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
			if got, err := io.ReadAll(eventstream.Lines(r)); err != nil || string(got) != want {
				t.Errorf("%q, %s: %q, %v", text, name, got, err)
			}
		}
	}
}

// TestCursor: events without data also set the ID and the retry time, and an ID
// that cannot be a header value is ignored.
func TestCursor(t *testing.T) {
	r, _, at := reader(strings.NewReader("id: 1\nretry: 250\n\ndata: a\n\nid: " + strings.Repeat("i", 5<<10) + "\ndata: b\n\nid: 2\x01\ndata: c\n\n"))
	for _, want := range []string{"1", "", ""} {
		if _, err := r.Next(); err != nil || at.ID != want || at.Retry != 250*time.Millisecond {
			t.Errorf("%+v, %v, want id %q", at, err, want)
		}
	}
}

// TestEndlessLines: the length of lines and events is limited.
func TestEndlessLines(t *testing.T) {
	for _, prefix := range []string{"data: ", ": comment", "event: ", "id: "} {
		r, data, _ := reader(io.MultiReader(strings.NewReader(prefix), endless("x")))
		if _, err := r.Next(); !errors.Is(err, buffer.ErrTooLong) || !strings.Contains(err.Error(), fmt.Sprint(limit)) || len(data.Bytes) > limit {
			t.Errorf("%q: %v", prefix, err)
		}
	}
	r, data, _ := reader(endless("data: x\n"))
	if _, err := r.Next(); !errors.Is(err, buffer.ErrTooLong) || len(data.Bytes) > limit {
		t.Errorf("endless lines of data: %v", err)
	}
}

// endless repeats a text.
type endless string

func (e endless) Read(p []byte) (n int, err error) {
	for len(p)-n >= len(e) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// TestMessage: a written message is parsed back unchanged.
func TestMessage(t *testing.T) {
	for _, text := range []string{`{"a":1}`, "{\n\"a\": 1\n}", "{\r\n\"a\":\r1\n}", "", strings.Repeat("x", 100<<10)} {
		r, data, _ := reader(strings.NewReader(string(eventstream.Message([]byte(text)))))
		name, err := r.Next()
		if text == "" {
			if !errors.Is(err, io.EOF) {
				t.Errorf("no data: %q, %v", name, err)
			}
			continue
		}
		if err != nil || name != "message" || string(data.Bytes) != strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n") {
			t.Errorf("%q: %q %q, %v", text, name, data.Bytes, err)
		}
	}
}
