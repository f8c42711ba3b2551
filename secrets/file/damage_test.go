package file_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// snapshot returns the contents of all files of a place.
func (p place) snapshot(t *testing.T) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for _, dir := range []string{p.dir, p.keys} {
		for _, name := range dirNames(t, dir) {
			files[filepath.Join(dir, name)] = string(readFile(t, filepath.Join(dir, name)))
		}
	}
	return files
}

// wantUndecryptable checks that the store reports that, and writes nothing.
func wantUndecryptable(t *testing.T, p place, s *file.Store) {
	t.Helper()
	before := p.snapshot(t)
	_, _, getErr := s.Get(t.Context(), "a")
	_, putErr := s.Put(t.Context(), "a", []byte("new"), secrets.Any)
	for method, err := range map[string]error{"Get": getErr, "Put": putErr} {
		if !errors.Is(err, secrets.ErrUndecryptable) || errors.Is(err, secrets.ErrPassphrase) {
			t.Errorf("%s = %v, want ErrUndecryptable", method, err)
		}
	}
	if !maps.Equal(before, p.snapshot(t)) {
		t.Error("a file was changed")
	}
}

// TestDamage: a change of any byte of any file is detected.
func TestDamage(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	pp := newPlace(t)
	if err := os.Mkdir(pp.keys, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, pp.openWith(t, phrase("pw")), "a", "data")

	testDamage(t, "record", p, file.KeyFile{Dir: p.keys}, filepath.Join(p.dir, "record-a"))
	testDamage(t, "header", p, file.KeyFile{Dir: p.keys}, filepath.Join(p.dir, "store.json"))
	testDamage(t, "key file", p, file.KeyFile{Dir: p.keys}, p.file(t, p.keys, ""))
	testDamage(t, "passphrase header", pp, phrase("pw"), filepath.Join(pp.dir, "store.json"))
}

func testDamage(t *testing.T, name string, p place, k file.Keeper, path string) {
	t.Run(name, func(t *testing.T) {
		intact := readFile(t, path)
		defer writeFile(t, path, intact)
		for i := range intact {
			damaged := bytes.Clone(intact)
			damaged[i] ^= []byte{0x01, 0x20, 0x80}[i%3] // another digit, case, or non-ASCII
			writeFile(t, path, damaged)
			wantUndecryptable(t, p, p.openWith(t, k))
			writeFile(t, path, intact[:i])
			wantUndecryptable(t, p, p.openWith(t, k))
			if t.Failed() {
				t.Fatalf("with byte %d of %d changed, or the file cut there", i, len(intact))
			}
		}
		writeFile(t, path, append(bytes.Clone(intact), '\n'))
		wantUndecryptable(t, p, p.openWith(t, k))
	})
}

// TestDamagedRecordCanBeDeleted: a damaged record can still be deleted.
func TestDamagedRecordCanBeDeleted(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	v := put(t, s, "a", "data")
	writeFile(t, filepath.Join(p.dir, "record-a"), []byte("rubbish"))
	if err := s.Delete(t.Context(), "a", v); !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("Delete of a version = %v, want ErrUndecryptable", err)
	}
	if err := s.Delete(t.Context(), "a", secrets.Any); err != nil {
		t.Errorf("Delete of any version: %v", err)
	}
	put(t, s, "a", "new")
	wantData(t, s, "a", "new")
}

func TestWrongPassphrase(t *testing.T) {
	p := newPlace(t)
	put(t, p.openWith(t, phrase("right")), "a", "data")
	for _, wrong := range []string{"right ", ""} {
		s := p.openWith(t, phrase(wrong))
		_, _, getErr := s.Get(t.Context(), "a")
		_, putErr := s.Put(t.Context(), "b", nil, secrets.Any)
		for method, err := range map[string]error{"Get": getErr, "Put": putErr, "Probe": s.Probe(t.Context())} {
			if !errors.Is(err, secrets.ErrPassphrase) || errors.Is(err, secrets.ErrUndecryptable) {
				t.Errorf("%s with passphrase %q = %v, want ErrPassphrase", method, wrong, err)
			}
		}
	}
	wantData(t, p.openWith(t, phrase("right")), "a", "data")
}

// TestMissingKeyFile: a lost key file is not replaced by a new key.
func TestMissingKeyFile(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	key := p.file(t, p.keys, "")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	wantUndecryptable(t, p, p.open(t))
	if _, _, err := p.open(t).Get(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("Get = %v, want an error that names %s", err, key)
	}
}

func TestMissingHeader(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	if err := os.Remove(filepath.Join(p.dir, "store.json")); err != nil {
		t.Fatal(err)
	}
	wantUndecryptable(t, p, p.open(t))
}

// TestKeyOfAnotherStore: a valid key file of another store is rejected.
func TestKeyOfAnotherStore(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	put(t, p.open(t), "a", "data")
	put(t, other.open(t), "a", "data")
	writeFile(t, p.file(t, p.keys, ""), readFile(t, other.file(t, other.keys, "")))
	wantUndecryptable(t, p, p.open(t))

	writeFile(t, filepath.Join(other.dir, "record-b"), readFile(t, filepath.Join(p.dir, "record-a")))
	if _, _, err := other.open(t).Get(t.Context(), "b"); !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("Get of a record of another store = %v, want ErrUndecryptable", err)
	}
}

func TestOtherKeeperIsRejected(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	s := p.openWith(t, phrase("pw"))
	_, _, getErr := s.Get(t.Context(), "a")
	_, putErr := s.Put(t.Context(), "b", nil, secrets.Any)
	for method, err := range map[string]error{"Get": getErr, "Put": putErr} {
		if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "kept by key file, not by passphrase") {
			t.Errorf("%s = %v, want ErrUnavailable and both keepers named", method, err)
		}
	}
	if st, err := s.Status(t.Context()); st.Keeper != "key file" || st.Records != 1 || err != nil {
		t.Errorf("Status = %+v, %v", st, err)
	}
}
