package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLargeFile: a file is read completely or not at all.
func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	text := "#" + strings.Repeat("x", maxSize-2) + "\n" + `store = "file:own"` + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"MCP_LOGIN_CONFIG": path}[name] }
	if f, err := Load(getenv, func() []Key { return testKeys }); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%v, %v", f, err)
	}
}
