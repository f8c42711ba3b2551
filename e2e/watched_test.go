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

// watched is a buffer that somebody waits on while a process writes.
type watched struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	wrote  chan struct{}
	closed chan struct{} // closed when the process has ended
}

func newWatched() *watched {
	return &watched{wrote: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.wrote <- struct{}{}:
	default:
	}
	return w.buf.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// await waits until the text matches and returns the match.
func (w *watched) await(t testing.TB, pattern *regexp.Regexp) string {
	t.Helper()
	late := time.After(await.Limit)
	for ended := false; ; {
		if m := pattern.FindString(w.String()); m != "" {
			return m
		}
		if ended {
			t.Fatalf("the program ended without %v:\n%s", pattern, w.String())
		}
		select {
		case <-w.wrote:
		case <-w.closed:
			ended = true
		case <-late:
			t.Fatalf("%v was not written in %s:\n%s", pattern, await.Limit, w.String())
		}
	}
}
