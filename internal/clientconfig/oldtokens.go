package clientconfig

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// OldTokens returns the folder in which mcp-remote kept its tokens and its files
// there. There is no folder if mcp-remote has kept none.
func OldTokens(p Places) (dir string, entries []string, err error) {
	dir = p.Getenv("MCP_REMOTE_CONFIG_DIR")
	if dir == "" {
		dir = p.home(".mcp-auth")
	}
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return dir, nil, nil
	}
	for _, f := range found {
		if f.IsDir() && strings.HasPrefix(f.Name(), "mcp-remote") {
			entries = append(entries, f.Name())
		}
	}
	return dir, entries, err
}

// RemoveOldTokens removes what OldTokens found, and the folder if nothing else is
// in it.
func RemoveOldTokens(dir string, entries []string) error {
	for _, name := range entries {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	_ = os.Remove(dir) // not if something else is in it
	return nil
}
