package file_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// windowsStore is a store in a temporary folder that the system removes: Wine
// cannot remove the folders of t.TempDir.
func windowsStore(t *testing.T) (*file.Store, string) {
	t.Helper()
	home, err := os.MkdirTemp("", "store ä &")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home, "data")
	s, err := file.Open(file.Config{Dir: dir, Keeper: file.KeyFile{Dir: filepath.Join(home, "keys")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a", []byte("0"), secrets.Absent); err != nil {
		t.Fatal(err)
	}
	return s, filepath.Join(dir, "record-a")
}

// TestWindowsFileIsReadByOthers: a virus scanner that has a record open delays a
// write or a delete, but does not make it fail.
func TestWindowsFileIsReadByOthers(t *testing.T) {
	s, path := windowsStore(t)
	for name, step := range map[string]func() error{
		"write":  func() error { _, err := s.Put(t.Context(), "a", []byte("1"), secrets.Any); return err },
		"remove": func() error { return s.Delete(t.Context(), "a", secrets.Any) },
	} {
		if _, err := s.Put(t.Context(), "a", []byte("0"), secrets.Any); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path) // prevents replacing or removing the file
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(300*time.Millisecond, func() { _ = f.Close() })
		if err := step(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWindowsReadersAmongWriters: reading a record while it is replaced never
// fails.
func TestWindowsReadersAmongWriters(t *testing.T) {
	s, _ := windowsStore(t)
	written := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-written:
					return
				case <-time.After(20 * time.Millisecond): // Wine cannot replace a file that is always open
				}
				if _, _, err := s.Get(t.Context(), "a"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 100 {
		if _, err := s.Put(t.Context(), "a", []byte("1"), secrets.Any); err != nil {
			t.Error(err)
		}
	}
	close(written)
	readers.Wait()
}
