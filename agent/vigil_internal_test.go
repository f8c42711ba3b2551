//go:build linux || darwin || freebsd

package agent

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSocketLost: an agent whose socket is gone, or another's, says so once.
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
		var log bytes.Buffer
		a := &Agent{log: slog.New(slog.NewTextHandler(&log, nil))}
		go a.vigil(t.Context(), Socket{Path: path})
		after := func(what, want string) {
			t.Helper()
			time.Sleep(3 * lookEvery)
			synctest.Wait()
			if text := log.String(); strings.Count(text, "\n") > 1 || (want == "") != (text == "") || !strings.Contains(text, want) {
				t.Errorf("%s: %q, want %q", what, text, want)
			}
			log.Reset()
		}
		after("untouched", "")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		after("removed", "level=ERROR msg=\"the socket's file is gone")
		put()
		after("replaced", "another file has taken the place")
	})
}
