//go:build unix

package privsock_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// TestFolderIsQuoted: in the suggested command that makes a folder private, the
// folder's name is quoted.
func TestFolderIsQuoted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a; touch $(id)")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := privsock.CheckFolder(dir, "the socket"); err == nil || !strings.HasSuffix(err.Error(), "run: chmod go-w '"+dir+"'") {
		t.Error(err)
	}
}
