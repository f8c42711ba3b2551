package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpFitsTheTerminal: the --help output of a command fits a terminal of 24
// lines and 80 columns, between the command line and the next prompt.
func TestHelpFitsTheTerminal(t *testing.T) {
	const rows, cols = 24 - 2, 80
	e, _, _ := testEnv(t)
	all := [][]string{{"help", "store"}, {"help", "config"}}
	for _, l := range leaves(e) {
		all = append(all, append(slices.Clone(l.path), "--help"))
	}
	for _, args := range all {
		e, out, _ := testEnv(t)
		run(t.Context(), args, &e.env)
		n := 0
		for line := range strings.Lines(out.String()) {
			n += 1 + (max(utf8.RuneCountInString(line)-1, 1)-1)/cols // a longer line wraps
		}
		if n == 0 || n > rows {
			t.Errorf("%q takes %d rows:\n%s", args, n, out)
		}
	}
}
