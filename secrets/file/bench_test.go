package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// These benchmarks support the claims: a read takes some tens of microseconds, also
// the first one of a process, which reads the key file; a list reads the folder
// once.

func benchPlace(b *testing.B) place {
	root := b.TempDir()
	return place{filepath.Join(root, "data"), filepath.Join(root, "keys")}
}

func benchOpen(b *testing.B, p place) *file.Store {
	s, err := file.Open(file.Config{Dir: p.dir, Keeper: file.KeyFile{Dir: p.keys}})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkGetWarm(b *testing.B) {
	s := benchOpen(b, benchPlace(b))
	benchPut(b, s)
	for b.Loop() {
		benchGet(b, s)
	}
}

func BenchmarkGetCold(b *testing.B) {
	p := benchPlace(b)
	benchPut(b, benchOpen(b, p))
	for b.Loop() {
		benchGet(b, benchOpen(b, p))
	}
}

func BenchmarkPut(b *testing.B) {
	s := benchOpen(b, benchPlace(b))
	for b.Loop() {
		benchPut(b, s)
	}
}

func BenchmarkList10000(b *testing.B) {
	p := benchPlace(b)
	s := benchOpen(b, p)
	benchPut(b, s)
	for i := range 10_000 - 1 { // a list opens no record, so the contents may be invalid
		if err := os.WriteFile(filepath.Join(p.dir, fmt.Sprintf("record-profile%d", i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if names, err := s.List(b.Context()); len(names) != 10_000 || err != nil {
			b.Fatal(len(names), err)
		}
	}
}

func benchPut(b *testing.B, s *file.Store) {
	if _, err := s.Put(b.Context(), "a", make([]byte, 2000), secrets.Any); err != nil {
		b.Fatal(err)
	}
}

func benchGet(b *testing.B, s *file.Store) {
	if _, _, err := s.Get(b.Context(), "a"); err != nil {
		b.Fatal(err)
	}
}
