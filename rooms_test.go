package mcplogin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackagesAreMapped: CONTRIBUTING.md describes each package in internal.
func TestPackagesAreMapped(t *testing.T) {
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\nThe packages in `internal/`")
	paragraph, _, found := strings.Cut(rest, "\nImports point downward")
	if !found {
		t.Fatal("CONTRIBUTING.md has no map of internal")
	}
	for _, path := range sources(t) {
		name := filepath.Base(filepath.Dir(path))
		if strings.HasPrefix(path, "internal/") && !strings.Contains(paragraph, "`"+name+"`") {
			t.Errorf("CONTRIBUTING.md does not say what %s is for", filepath.Dir(path))
		}
	}
}
