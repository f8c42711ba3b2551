package terminal

import (
	"context"
	"io"
	"os"
)

// InIsTerminal reports whether standard input is a terminal, so that the user would have
// to type what a file or a program supplies otherwise.
func (s Streams) InIsTerminal() bool {
	f, ok := s.In.(*os.File)
	return ok && isTerminal(f)
}

// Input returns standard input. A read of it fails when ctx ends, such as by Ctrl-C; what
// it reads after that is lost.
func (s Streams) Input(ctx context.Context) io.Reader { return input{ctx, s.In} }

type input struct {
	ctx context.Context
	in  io.Reader
}

// Read implements io.Reader.
func (r input) Read(p []byte) (int, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	text := make([]byte, len(p)) // an abandoned read must not write to p
	go func() {
		n, err := r.in.Read(text)
		done <- result{text[:n], err}
	}()
	select {
	case got := <-done:
		return copy(p, got.text), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
