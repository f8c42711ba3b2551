package eventstream

import (
	"bytes"
	"io"
)

// Lines returns a reader in which every line of a stream ends with \n. In the stream, a
// line can also end with \r\n or \r, and a reader that looks only for \n would take several
// lines for one. A byte order mark, which may begin the stream, is left out: it would hide
// the first field.
func Lines(r io.Reader) io.Reader { return &lines{r: r} }

type lines struct {
	r       io.Reader
	begun   bool
	afterCR bool // a \n would belong to the last line's end
}

// byteOrderMark is U+FEFF in UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// Read implements io.Reader.
func (l *lines) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil && len(p) > 0 {
		if l.begun {
			n, err = l.r.Read(p)
		} else {
			n, err = l.begin(p)
		}
		n = l.normalize(p[:n])
	}
	return n, err
}

// begin reads the beginning of the stream without a byte order mark.
func (l *lines) begin(p []byte) (n int, err error) {
	l.begun = true
	for err == nil && n < min(len(p), len(byteOrderMark)) && bytes.HasPrefix([]byte(byteOrderMark), p[:n]) {
		var more int
		more, err = l.r.Read(p[n:])
		n += more
	}
	return copy(p, bytes.TrimPrefix(p[:n], []byte(byteOrderMark))), err
}

// normalize changes text in place, and returns its new length.
func (l *lines) normalize(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	if !l.afterCR && bytes.IndexByte(text, '\r') < 0 {
		return len(text)
	}
	n := 0
	for _, c := range text {
		skip := l.afterCR && c == '\n'
		if l.afterCR = c == '\r'; l.afterCR {
			c = '\n'
		}
		if !skip {
			text[n] = c
			n++
		}
	}
	return n
}
