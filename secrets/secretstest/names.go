package secretstest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

// names are distinct names that some file systems, URLs or shells confuse with
// each other or interpret specially.
var names = []string{
	"notion", "Notion", "NOTION", // case-folding file systems
	"caf\u00e9", "cafe\u0301", "CAF\u00c9", // composed, decomposed: normalizing file systems
	"stra\u00dfe", "strasse", "\u0130", "i\u0307", "\u212a", "k", "K", // case folding that changes the length
	".", "..", "...", ".hidden", "dot.", "dots..", "a.b", "a..b",
	"/", "//", "a/b", "a/./b", "a/../b", "/etc/passwd", "../up", "a/", "a",
	`a\b`, `C:\Users`, "C:", "a:b", "a|b", `a"b`, "a'b", "a<b>", "a?b", "a*", "*", "~", "~root", "a~1",
	"con", "CON", "Con.txt", "con.txt", "prn", "aux", "nul", "NUL", "com1", "lpt9", "COM\u00b9", "conin$", // Windows devices
	"%", "%%", "%61", "%2e", "%2E", "%00", "a%", "a%2", "100%", "a+b", "a b", "a%20b",
	"_", "a-", "a_b", "a-b", "#", "a#b", "a&b=c", "a;b", "$HOME", "`id`", "$(id)", "!", "@", "a@b.example", "=", "=?", "^",
	"record-a", "lock-a", "store", "store.json", "write.lock", "metadata", "data",
	"https://mcp.example.com/mcp?x=1",
	"\u65e5\u672c\u8a9e", "\U0001f511", "\u05d0\u05d1", "\ufffd",
	strings.Repeat("a", 80), strings.Repeat("A", 80), strings.Repeat("a", 79),
	strings.Repeat("\U0001f511", 20), strings.Repeat("/", 80), strings.Repeat(".", 80), strings.Repeat("%", 80),
}

// refused are names that every store rejects.
var refused = []string{
	"", strings.Repeat("a", 81), strings.Repeat("\u00e9", 41),
	"-", "-rf", "--help", " a", "a ", " ",
	"a\x00b", "a\nb", "a\tb", "\x1b[2J", "a\x7f", "a\u0085b", "a\u00a0b",
	"\xff", "a\xc3", "\xed\xa0\x80", // not UTF-8
	"a\u200bb", "a\u202eb", "a\u2066b", "a\ufeffb", "a\u2028b", // zero width, bidi, separators
}

func testNames(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	versions := make(map[string]secrets.Version)
	for _, name := range names {
		versions[name] = put(t, s, name, "data of "+name, secrets.Absent)
	}
	other := open(t)
	for _, name := range names {
		wantRecord(t, other, name, "data of "+name, versions[name])
	}
	wantList(t, other, slices.Sorted(slices.Values(names))...)
	for _, name := range names {
		unlock, err := s.Lock(t.Context(), name)
		if err != nil {
			t.Fatalf("Lock(%q): %v", name, err)
		}
		defer unlock()
	}
	left := slices.Clone(names)
	for len(left) > len(names)-10 { // the list reveals a delete of a wrong name
		if err := s.Delete(t.Context(), left[0], versions[left[0]]); err != nil {
			t.Fatalf("Delete(%q): %v", left[0], err)
		}
		left = left[1:]
		wantList(t, other, slices.Sorted(slices.Values(left))...)
	}
}

func testRefusedNames(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	for _, name := range refused {
		_, _, getErr := s.Get(t.Context(), name)
		_, putErr := s.Put(t.Context(), name, []byte("x"), secrets.Any)
		_, lockErr := s.Lock(t.Context(), name)
		for method, err := range map[string]error{
			"Get": getErr, "Put": putErr, "Delete": s.Delete(t.Context(), name, secrets.Any), "Lock": lockErr,
		} {
			if !errors.Is(err, secrets.ErrName) {
				t.Errorf("%s(%q) = %v, want ErrName", method, name, err)
			}
		}
	}
}

// testInternal: the internal record behaves like any other, but is not listed.
func testInternal(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	v := put(t, s, secrets.Internal, "one", secrets.Absent)
	wantRecord(t, open(t), secrets.Internal, "one", v)
	if _, err := s.Put(t.Context(), secrets.Internal, []byte("two"), secrets.Absent); !errors.Is(err, secrets.ErrConflict) {
		t.Errorf("Put over it = %v, want ErrConflict", err)
	}
	a := put(t, s, "a", "data", secrets.Absent)
	wantList(t, s, "a")
	if err := s.Delete(t.Context(), secrets.Internal, v); err != nil {
		t.Errorf("Delete: %v", err)
	}
	wantRecord(t, s, "a", "data", a)
}
