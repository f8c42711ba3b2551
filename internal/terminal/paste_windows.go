package terminal

import (
	"io"
	"time"
)

const keyWait = 100 * time.Millisecond

// keys reads a console line by line: its own editing keeps lines of any
// length that matters here.
type keys struct {
	tty     tty
	out     io.Writer
	restore func() // the mode of the screen; nil: it does not act on escape sequences
	lines   chan []byte
	rest    []byte
}

// newKeys starts a reader. Its goroutine leaks after the last text, because the
// read of a console cannot be canceled, and the process is about to exit.
func newKeys(t tty) *keys {
	k := &keys{tty: t, out: t, lines: make(chan []byte)}
	go func() {
		defer close(k.lines)
		for {
			buf := make([]byte, 4096)
			n, err := t.Read(buf)
			if err != nil {
				return
			}
			k.lines <- buf[:n]
		}
	}()
	return k
}

func (k *keys) begin() error {
	k.restore, _ = escapesOn(k.tty.screen) // an old console cannot
	return nil
}

func (k *keys) escapes() bool { return k.restore != nil }

func (k *keys) read(buf []byte) (int, error) {
	if len(k.rest) == 0 {
		select {
		case line, ok := <-k.lines:
			if !ok {
				return 0, errNoPaste
			}
			k.rest = line
		case <-time.After(keyWait):
			return 0, nil
		}
	}
	n := copy(buf, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

func (k *keys) end() {
	if k.restore != nil {
		k.restore()
	}
}
