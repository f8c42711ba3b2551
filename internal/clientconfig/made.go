package clientconfig

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// initial is the content of a file before this program first changed it, as its oldest
// backup has it. A file without a backup did not exist.
type initial struct {
	existed bool
	values  map[string]any
}

func (c Client) initialOf(d document) (f initial, err error) {
	all, _ := backups(d.path)
	if len(all) == 0 {
		return f, nil
	}
	f.existed = true
	f.values, err = c.format().decode(document{content: readBackup(all[0])}.decoded().text)
	return f, err
}

// made reports whether the object at a path is from this program: it was not there, or
// only with entries of this program, which an earlier run wrote.
func (f initial) made(path []string) bool {
	was, found := lookup(f.values, path)
	return !found || written(was)
}

// madeFile reports whether the whole file is from this program.
func (f initial) madeFile() bool { return !f.existed || written(f.values) }

// written reports whether a value is an object of nothing but entries of this program,
// which run it or have a variable of it.
func written(value any) bool {
	object, ok := value.(map[string]any)
	for _, entry := range object {
		text := fmt.Sprint(entry)
		if !strings.Contains(text, "mcp-login") && !strings.Contains(text, "_AUTHORIZATION") {
			return false
		}
	}
	return ok && len(object) > 0
}

// tidy takes the empty objects that this program made for an entry out of a text without
// the entry. Empty reports that nothing is left of a file that it made.
func (c Client) tidy(d document, text []byte, entry []string) (tidied []byte, empty bool, err error) {
	f, err := c.initialOf(d)
	if err != nil {
		return text, false, nil // it is not known what was there
	}
	for depth := len(entry) - 1; depth > 0; depth-- {
		m, err := c.format().decode(text)
		if err != nil {
			return nil, false, err
		}
		object, found := lookup(m, entry[:depth])
		if !found {
			continue // an empty table of TOML is gone with its last entry
		}
		if inner, ok := object.(map[string]any); !ok && object != nil || len(inner) > 0 || !f.made(entry[:depth]) {
			return text, false, nil
		}
		if text, err = edited(c.format(), text, entry[:depth], nil); err != nil {
			return nil, false, err
		}
	}
	blank := bytes.Join(bytes.Fields(text), nil)
	return text, f.madeFile() && (len(blank) == 0 || string(blank) == "{}"), nil
}

// isLink reports whether a path is a symbolic link, which would lead nowhere without its
// file.
func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}
