//go:build linux || darwin || freebsd

package agentd

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lockedBuffer is a log that one goroutine writes and another reads.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// take returns the text written since the last call.
func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buf.Reset()
	return b.buf.String()
}

// TestSocketLost: an agent whose socket was removed or replaced reports that once.
func TestSocketLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	put := func() {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put()
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		a := &Agent{log: slog.New(slog.NewTextHandler(&log, nil))}
		go a.watchSocket(t.Context(), Socket{Path: path})
		after := func(what, want string) {
			t.Helper()
			time.Sleep(3 * lookEvery)
			synctest.Wait()
			if text := log.take(); strings.Count(text, "\n") > 1 || (want == "") != (text == "") || !strings.Contains(text, want) {
				t.Errorf("%s: %q, want %q", what, text, want)
			}
		}
		after("untouched", "")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		after("removed", "level=ERROR msg=\"the socket file was removed")
		put()
		after("replaced", "the socket was replaced by another file")
	})
}
