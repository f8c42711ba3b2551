package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// fixture copies a store of testdata, because git does not keep file modes.
func fixture(t *testing.T, version, store string) place {
	t.Helper()
	p := newPlace(t)
	copyFiles(t, filepath.Join("testdata", version, store), p.dir)
	copyFiles(t, filepath.Join("testdata", version, "keys"), p.keys)
	return p
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range dirNames(t, from) {
		writeFile(t, filepath.Join(to, name), readFile(t, filepath.Join(from, name)))
	}
}

// TestVersion1 opens a store of the first version of this package. Never regenerate
// these files.
func TestVersion1(t *testing.T) {
	for _, tt := range []struct {
		store  string
		keeper func(place) file.Keeper
		want   []string
	}{
		{"key-file", func(p place) file.Keeper { return file.KeyFile{Dir: p.keys} }, []string{"notion", "Ünï/cödé."}},
		{"rekeying", func(p place) file.Keeper { return file.KeyFile{Dir: p.keys} }, []string{"half", "notion"}},
		{"passphrase", func(place) file.Keeper { return phrase("correct horse") }, []string{"notion"}},
	} {
		t.Run(tt.store, func(t *testing.T) {
			p := fixture(t, "v1", tt.store)
			s := p.openWith(t, tt.keeper(p))
			if names, err := s.List(t.Context()); !slices.Equal(names, tt.want) || err != nil {
				t.Errorf("List = %q, %v, want %q", names, err, tt.want)
			}
			wantData(t, s, "notion", "a record of version 1")
			put(t, s, "notion", "new")
			wantData(t, s, "notion", "new")
		})
	}
}

// TestNewerVersion: a store of a later version is rejected and not changed.
func TestNewerVersion(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	for path, change := range map[string][2]string{
		filepath.Join(p.dir, "record-a"):   {"mcp-login\x01", "mcp-login\x02"},
		filepath.Join(p.dir, "store.json"): {`"version": 1`, `"version": 2, "new": {}`},
		p.file(t, p.keys, ""):              {`"version": 1`, `"version": 2, "new": {}`},
	} {
		intact := readFile(t, path)
		writeFile(t, path, []byte(strings.Replace(string(intact), change[0], change[1], 1)))
		wantUndecryptable(t, p, p.open(t))
		if _, _, err := p.open(t).Get(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "format version 2") {
			t.Errorf("Get with a newer %s = %v, want an error that names the version", filepath.Base(path), err)
		}
		writeFile(t, path, intact)
		wantData(t, p.open(t), "a", "data")
	}
}

// TestUnreasonablePassphraseParameters: a store.json that requires terabytes of
// memory is rejected before the prompt and before any allocation.
func TestUnreasonablePassphraseParameters(t *testing.T) {
	for _, params := range []string{
		`{}`, `"x"`,
		`{"kdf":"argon2id","time":1,"memory":4294967295,"threads":4,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		`{"kdf":"argon2id","time":4294967295,"memory":64,"threads":4,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		`{"kdf":"argon2id","time":1,"memory":64,"threads":0,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		`{"kdf":"argon2id","time":1,"memory":64,"threads":1,"nonce":"AAAA"}`,
		`{"kdf":"md5","time":1,"memory":64,"threads":1,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
	} {
		_, err := file.Passphrase{}.Key(t.Context(), "id", []byte(params))
		if !errors.Is(err, secrets.ErrUndecryptable) {
			t.Errorf("Key(%s) = %v, want ErrUndecryptable", params, err)
		}
	}
}
