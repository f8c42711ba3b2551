package mcplogin_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestTestDependencies: the modules of go.mod's block for tests and examples reach
// neither the program nor a package of the library, and those of the first block do.
func TestTestDependencies(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	first, rest, found := strings.Cut(string(text), "\n// Test dependencies.")
	if !found {
		t.Fatal("go.mod has no block of test dependencies")
	}
	tests, _, _ := strings.Cut(rest, "\n)")
	used := usedModules(t)
	for _, module := range required(first) {
		if !slices.Contains(used, module) {
			t.Errorf("%s is for tests or examples only: move it to their block in go.mod", module)
		}
	}
	for _, module := range required(tests) {
		if slices.Contains(used, module) {
			t.Errorf("%s is for tests and examples, and the program or the library uses it", module)
		}
	}
	if len(required(first)) < 10 || len(required(tests)) == 0 {
		t.Errorf("the blocks of go.mod hold %d and %d modules", len(required(first)), len(required(tests)))
	}
}

// required returns the modules of a block of go.mod.
func required(block string) (modules []string) {
	for line := range strings.Lines(block) {
		if words := strings.Fields(line); len(words) == 2 && strings.HasPrefix(line, "\t") {
			modules = append(modules, words[0])
		}
	}
	return modules
}

// usedModules returns the modules that the program and the public packages are
// built from.
func usedModules(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := slices.DeleteFunc(strings.Fields(string(out)), func(p string) bool {
		return strings.Contains(p, "/internal/") || strings.HasPrefix(p, module+"/examples/")
	})
	list := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"}, packages...)...)
	list.Env = append(os.Environ(), "GOOS=linux") // others have no D-Bus
	if out, err = list.Output(); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
