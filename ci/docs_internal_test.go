package ci

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs: docs/ci.md describes each provider as implemented: detection, masking,
// and whether shell code is printed. It is a white-box test because it reads the
// detection variables.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|,]+)(?:, [^|]*)? \| ([^|]+) \| (yes|no) \| ([^|]+) \|$`).FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2:]
	}
	detected := map[Provider]string{}
	for _, sign := range signs {
		if detected[sign.provider] != "" {
			detected[sign.provider] += " or "
		}
		detected[sign.provider] += "`" + strings.Join(sign.set, "` and `") + "`"
	}
	for provider, want := range detected {
		name := provider.String()
		if provider == Generic {
			name = "another CI"
		}
		row := rows[name]
		if row == nil {
			t.Errorf("%s has no row", name)
			continue
		}
		if row[0] != want || (row[1] == "yes") != provider.CanMask() || strings.HasPrefix(row[2], "printed") != provider.PrintsShell() {
			t.Errorf("%s: %q, want %s, masks %t, printed %t", name, row, want, provider.CanMask(), provider.PrintsShell())
		}
	}
	if len(rows) != len(detected) {
		t.Errorf("%d rows for %d providers", len(rows), len(detected))
	}
	if !strings.Contains(string(text), explicitToken) {
		t.Errorf("%s is not documented", explicitToken)
	}
}
