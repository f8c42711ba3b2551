package terminal

import (
	"io"
	"os"
	"time"
)

const keyWait = 100 * time.Millisecond

// keys reads a console line by line: its own editing keeps lines of any
// length that matters here.
type keys struct {
	out   io.Writer
	lines chan []byte
	rest  []byte
}

// newKeys starts a reader, and shows text on out: a console's input takes none.
// The reader stays behind after the last text, because the read of a console
// cannot be canceled. The process is about to end.
func newKeys(tty *os.File, out io.Writer) *keys {
	k := &keys{out: out, lines: make(chan []byte)}
	go func() {
		defer close(k.lines)
		for {
			buf := make([]byte, 4096)
			n, err := tty.Read(buf)
			if err != nil {
				return
			}
			k.lines <- buf[:n]
		}
	}()
	return k
}

func (k *keys) begin() error { return nil }

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

func (k *keys) end() {}
