package clientconfig

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"github.com/mcp-login/mcp-login/internal/atomicfile"
)

// maxBackups limits the backups of one file.
const maxBackups = 100

// backups returns the paths of the backups of a file, the oldest first, and of the next
// one.
func backups(path string) (all []string, next string) {
	for n := 1; n <= maxBackups; n++ {
		next = path + ".mcp-login.bak"
		if n > 1 {
			next = fmt.Sprintf("%s.mcp-login.%d.bak", path, n)
		}
		if _, err := os.Lstat(next); err != nil {
			return all, next
		}
		all = append(all, next)
	}
	return all, ""
}

// readBackup returns what a backup holds, nil if that is not known.
func readBackup(path string) []byte {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return content
}

// keep leaves a copy of a file's content beside it. No other backup is replaced.
func keep(path string, content []byte) (backup string, err error) {
	all, next := backups(path)
	for _, backup := range all {
		if kept := readBackup(backup); kept != nil && bytes.Equal(kept, content) {
			return backup, nil
		}
	}
	if next == "" {
		return "", fmt.Errorf("it has %d backups; remove some", maxBackups)
	}
	return next, atomicfile.Write(next, content, 0o600)
}

// original returns the content that a file had before an entry was added, if a backup has
// it: the entry is not in it, and the rest is what is left without the entry.
func (c Client) original(d document, path []string, left []byte) ([]byte, bool) {
	all, _ := backups(d.path)
	for _, name := range slices.Backward(all) {
		kept := document{content: readBackup(name)}.decoded()
		if m, err := c.format().decode(kept.text); err != nil || kept.content == nil || has(m, path) {
			continue
		}
		with, err := c.format().set(kept.text, path, fields{{"command", ""}})
		if err != nil {
			continue
		}
		if without, err := c.format().remove(with, path); err == nil && bytes.Equal(without, left) {
			return kept.content, true
		}
	}
	return nil, false
}

func has(m map[string]any, path []string) bool {
	_, found := lookup(m, path)
	return found
}
