//go:build e2e

package e2e

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// outputBuffer has the output of a process, and lets a test wait for a part of it.
type outputBuffer struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	wrote  chan struct{}
	closed chan struct{} // closed when the process has exited
}

func newOutputBuffer() *outputBuffer {
	return &outputBuffer{wrote: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (b *outputBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.wrote <- struct{}{}:
	default:
	}
	return b.buf.Write(p)
}

func (b *outputBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// await waits until the output matches and returns the match.
func (b *outputBuffer) await(t testing.TB, pattern *regexp.Regexp) string {
	t.Helper()
	late := time.After(await.Limit)
	for ended := false; ; {
		if m := pattern.FindString(b.String()); m != "" {
			return m
		}
		if ended {
			t.Fatalf("the program exited without %v:\n%s", pattern, b.String())
		}
		select {
		case <-b.wrote:
		case <-b.closed:
			ended = true
		case <-late:
			t.Fatalf("no %v in the output after %s:\n%s", pattern, await.Limit, b.String())
		}
	}
}
