package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/manpage"
)

// TestManual: the manual has every command with its usage line, and every flag with
// its --help text.
func TestManual(t *testing.T) {
	e, out, stderr := testEnv(t)
	if code := run(t.Context(), []string{"man"}, &e.env); code != exit.Done || stderr.Len() > 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	page := out.String()
	for _, l := range leaves(e) {
		heading := manpage.Escape(strings.TrimSpace(l.name() + " " + l.ArgsUsage))
		_, section, found := strings.Cut(page, ".SS \""+heading+"\"\n")
		if !found {
			t.Errorf("no section %s", heading)
		}
		section, _, _ = strings.Cut(section, ".SS ")
		for _, f := range l.Flags {
			d := describeFlag(f).Help()
			names, about := d.Term(), d.Text()
			if d.Variable != "" {
				about += " [$" + d.Variable + "]"
			}
			if want := ".B \"" + manpage.Escape(names) + "\"\n" + manpage.Escape(about) + "\n"; !strings.Contains(section, want) && !strings.Contains(page[strings.Index(page, "COMMON FLAGS"):], want) {
				t.Errorf("%s: no flag %s", l.name(), names)
			}
		}
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "'") || strings.ContainsAny(line, "\t") || len(line) == 1 {
			t.Errorf("line %q", line)
		}
	}
}

// TestManualExitCodes: README.md has the same table.
func TestManualExitCodes(t *testing.T) {
	section := regexp.MustCompile(`(?s)## Exit codes.*?\n## `).FindString(readme(t))
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`).FindAllStringSubmatch(section, -1)
	if len(rows) != len(exit.Meanings()) {
		t.Fatalf("README.md has %d exit codes, the manual %d", len(rows), len(exit.Meanings()))
	}
	for i, x := range exit.Meanings() {
		if rows[i][1] != strconv.Itoa(x.Code) || rows[i][2] != x.Text {
			t.Errorf("README.md has %q, the manual %d: %s", rows[i][1:], x.Code, x.Text)
		}
	}
}
