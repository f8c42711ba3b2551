// Package terminaltest helps tests of what is shown on a terminal: an emulated
// one, golden files, and what may never be shown. It is for tests alone.
package terminaltest

import (
	"flag"
	"os"
	"strings"
	"testing"
	"unicode"
)

// update rewrites the golden files of the package under test.
var update = flag.Bool("update", false, "rewrite testdata/*.golden")

// Steers reports what may steer a terminal in a text: everything but ends of
// lines that takes no room.
func Steers(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Join_Control,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	})
}

// MayCommand reports what may be a command to a CI's runner in a log: see
// ci.Escape.
func MayCommand(log string) bool {
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "##") || strings.Contains(line, "::add-mask") {
			return true
		}
		for _, lead := range []string{"::", "---", "+++", "~~~", "^^^"} {
			if strings.HasPrefix(line, lead) {
				return true
			}
		}
	}
	return false
}

// Golden compares with a file; -update writes it.
func Golden(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("got\n%s\nwant %s (%v)\n%s", got, path, err, want)
	}
}
