//go:build linux

package agentd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/otheruser"
)

// TestPrivateFileOfAnotherUser: root neither writes its log to a file that another
// user created, nor follows a symbolic link to it.
func TestPrivateFileOfAnotherUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, otheruser.Nobody, otheruser.Nobody); err != nil {
		t.Skip("only root can change the owner of a file")
	}
	f, err := openPrivate(path)
	if err == nil {
		f.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "belongs to user") {
		t.Error(err)
	}
}
