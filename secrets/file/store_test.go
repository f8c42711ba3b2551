package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/secretstest"
)

// place is where a test keeps a store: the records and the key file in separate
// folders.
type place struct{ dir, keys string }

func newPlace(t *testing.T) place {
	root := t.TempDir()
	return place{filepath.Join(root, "data"), filepath.Join(root, "keys")}
}

func (p place) open(t *testing.T) *file.Store {
	t.Helper()
	return p.openWith(t, file.KeyFile{Dir: p.keys})
}

func (p place) openWith(t *testing.T, k file.Keeper) *file.Store {
	t.Helper()
	s, err := file.Open(file.Config{Dir: p.dir, Keeper: k})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// file returns the only file in a folder of the place that has this prefix.
func (p place) file(t *testing.T, dir, prefix string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("files %s* in %s: %q, %v, want one", prefix, dir, found, err)
	}
	return found[0]
}

func phrase(s string) file.Passphrase {
	return file.Passphrase{Read: func(context.Context) ([]byte, error) { return []byte(s), nil }}
}

func put(t *testing.T, s secrets.Store, name, data string) secrets.Version {
	t.Helper()
	v, err := s.Put(t.Context(), name, []byte(data), secrets.Any)
	if err != nil {
		t.Fatalf("Put(%q): %v", name, err)
	}
	return v
}

func wantData(t *testing.T, s secrets.Store, name, want string) {
	t.Helper()
	got, _, err := s.Get(t.Context(), name)
	if string(got) != want || err != nil {
		t.Errorf("Get(%q) = %q, %v, want %q", name, got, err, want)
	}
}

func TestStore(t *testing.T) {
	t.Run("KeyFile", func(t *testing.T) {
		p := newPlace(t)
		secretstest.TestStore(t, func(t *testing.T) secrets.Store { return p.open(t) })
	})
	t.Run("Passphrase", func(t *testing.T) {
		p := newPlace(t)
		handles := []secrets.Store{p.openWith(t, phrase("pw")), p.openWith(t, phrase("pw"))} // two Argon2id runs, not two for each test
		opened := 0
		secretstest.TestStore(t, func(t *testing.T) secrets.Store {
			opened++
			return handles[opened%2]
		})
	})
}

func TestOpenTouchesNothing(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if names, err := s.List(t.Context()); len(names) != 0 || err != nil {
		t.Errorf("List = %q, %v", names, err)
	}
	if err := s.Delete(t.Context(), "a", secrets.Any); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	if st, err := s.Status(t.Context()); st != (file.Status{Dir: p.dir}) || err != nil {
		t.Errorf("Status = %+v, %v", st, err)
	}
	for _, dir := range []string{p.dir, p.keys} {
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s exists before the first write: %v", dir, err)
		}
	}
}

func TestOpenNeedsDirAndKeeper(t *testing.T) {
	for _, c := range []file.Config{{}, {Dir: "x"}, {Keeper: phrase("x")}} {
		if _, err := file.Open(c); err == nil {
			t.Errorf("Open(%+v) succeeded", c)
		}
	}
}

// TestNothingInClearText: neither data nor key is readable in the store's folder.
func TestNothingInClearText(t *testing.T) {
	const data = "refresh-token-1234567890"
	p := newPlace(t)
	put(t, p.open(t), "notion", data)
	files, err := os.ReadDir(p.dir)
	if err != nil || len(files) != 3 { // header, record, write lock
		t.Fatalf("ReadDir = %v, %v, want 3 files", files, err)
	}
	for _, f := range files {
		raw := readFile(t, filepath.Join(p.dir, f.Name()))
		if strings.Contains(string(raw), data) {
			t.Errorf("%s contains the data in clear text", f.Name())
		}
	}
}

// TestSameDataTwice: equal records have different ciphertexts.
func TestSameDataTwice(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "same")
	put(t, s, "b", "same")
	a, b := readFile(t, filepath.Join(p.dir, "record-a")), readFile(t, filepath.Join(p.dir, "record-b"))
	if string(a[len(a)-20:]) == string(b[len(b)-20:]) {
		t.Error("two records of the same data end in the same bytes")
	}
}

func TestMovedRecordDoesNotOpen(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data")
	if err := os.Rename(filepath.Join(p.dir, "record-a"), filepath.Join(p.dir, "record-b")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(t.Context(), "b"); !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("Get = %v, want ErrUndecryptable", err)
	}
}

// TestForeignFilesAreNotListed: only files that this package wrote are records.
func TestForeignFilesAreNotListed(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data")
	for _, name := range []string{"record-", "record-A", "record-%61", "record-%4A", "record-%4", "record-b.", "record-%00x", "README", ".record-c"} {
		writeFile(t, filepath.Join(p.dir, name), []byte("x"))
	}
	if names, err := s.List(t.Context()); len(names) != 1 || err != nil {
		t.Errorf("List = %q, %v, want only a", names, err)
	}
}

func TestProbe(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	for range 2 {
		if err := s.Probe(t.Context()); err != nil {
			t.Errorf("Probe: %v", err)
		}
	}
	st, err := s.Status(t.Context())
	if st.Keeper != "key file" || st.Records != 0 || st.Rekeying || err != nil {
		t.Errorf("Status = %+v, %v", st, err)
	}
	if names := dirNames(t, p.dir); len(names) != 2 { // header, write lock
		t.Errorf("after a probe the store has %q", names)
	}
}

// TestProbeAfterKilledProbe: a probe replaces the record of a killed one, which may
// be encrypted with another key.
func TestProbeAfterKilledProbe(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data")
	writeFile(t, filepath.Join(p.dir, "record-%00probe"), []byte("left"))
	if err := s.Probe(t.Context()); err != nil {
		t.Errorf("Probe: %v", err)
	}
}

func TestRecordTooLarge(t *testing.T) {
	s := newPlace(t).open(t)
	if _, err := s.Put(t.Context(), "a", make([]byte, 9<<20), secrets.Any); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("Put = %v, want ErrUnavailable", err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func dirNames(t *testing.T, dir string) []string {
	t.Helper()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
