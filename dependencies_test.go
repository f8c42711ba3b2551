package mcplogin_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestTestDependencies: the program and the library use all modules of go.mod's
// first block, and none of its block for tests and examples.
func TestTestDependencies(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	first, rest, found := strings.Cut(string(text), "\n// Test dependencies.")
	if !found {
		t.Fatal("go.mod has no block for test dependencies")
	}
	tests, _, _ := strings.Cut(rest, "\n)")
	used := usedModules(t)
	for _, module := range required(first) {
		if !slices.Contains(used, module) {
			t.Errorf("%s is used only by tests or examples: move it to their block in go.mod", module)
		}
	}
	for _, module := range required(tests) {
		if slices.Contains(used, module) {
			t.Errorf("%s is in the block for tests and examples, but the program or the library uses it", module)
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

// usedModules returns the modules that the program and the public packages depend
// on.
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
	list.Env = append(os.Environ(), "GOOS=linux") // D-Bus is used only on some systems
	if out, err = list.Output(); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
