package eventstream

import (
	"bytes"
	"io"
)

// Lines returns a reader in which each line of a stream ends with \n. In the stream, a
// line can also end with \r\n or \r. Those who look for \n alone would take lines for one
// that others read as several.
func Lines(r io.Reader) io.Reader { return &lines{r: r} }

type lines struct {
	r       io.Reader
	afterCR bool // a \n belongs to the end of the last line
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil && len(p) > 0 {
		n, err = l.r.Read(p)
		n = l.normalize(p[:n])
	}
	return n, err
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
