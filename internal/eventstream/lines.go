package eventstream

import (
	"bytes"
	"io"
)

// Lines returns a reader in which every line of a stream ends with \n. In the stream, a
// line can also end with \r\n or \r, and a reader that looks only for \n would take several
// lines for one.
func Lines(r io.Reader) io.Reader { return &lines{r: r} }

type lines struct {
	r       io.Reader
	afterCR bool // a \n would belong to the last line's end
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
