package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// File is a configuration file: keys for all profiles, and tables
// [profile.NAME]. A nil *File has no settings.
type File struct {
	path     string
	global   map[string]entry
	profiles map[string]map[string]entry
}

// entry is the value of one key in the file.
type entry struct {
	texts   []string
	line    int
	profile string // profile whose table it is in; "": none
}

const maxSize = 1 << 20

// Find returns where the configuration file is, and whether the environment
// names it, so that it must exist.
func Find(getenv func(name string) string) (path string, named bool, err error) {
	if path := getenv("MCP_LOGIN_CONFIG"); path != "" {
		return path, true, nil
	}
	dir, err := paths.Dirs{Getenv: getenv}.Config()
	return filepath.Join(dir, "config.toml"), false, err
}

// Load reads the configuration file; nil if there is none. It calls keys only if
// the file exists: without one, the only cost is one open.
func Load(getenv func(name string) string, keys func() []Key) (*File, error) {
	path, named, err := Find(getenv)
	if err != nil {
		return nil, nil // without a home folder there is no file
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &Error{err}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, &Error{err}
	}
	if len(text) > maxSize {
		return nil, errorf("%s is larger than %d bytes", path, maxSize)
	}
	file, err := parse(path, text, keys())
	if err != nil {
		return nil, err
	}
	return file, file.trust(info)
}

// Report describes the location of the file, for display; "" without a home
// folder.
func (s Settings) Report() string {
	path, _, err := Find(s.Getenv)
	switch {
	case err != nil:
		return ""
	case s.File == nil:
		return path + ", which does not exist"
	}
	return path
}

// Profiles returns the profiles that have a table, sorted.
func (f *File) Profiles() []string {
	if f == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(f.profiles))
}

// trust rejects a file that others could write, and commands in a file of
// another user: they would run with this user's rights.
func (f *File) trust(info fs.FileInfo) error {
	whose, err := writers(info)
	if err != nil {
		return errorf("%s %v", f.path, err)
	}
	if whose == ours {
		return nil
	}
	return f.noCommands()
}

// noCommands rejects a file with a command.
func (f *File) noCommands() error {
	for _, table := range append(slices.Collect(maps.Values(f.profiles)), f.global) {
		for key, set := range table {
			if strings.HasSuffix(key, "-command") || slices.ContainsFunc(set.texts, isCommand) {
				return errorf("%s:%d: %s sets a command to run, and you do not own the file", f.path, set.line, key)
			}
		}
	}
	return nil
}

func isCommand(text string) bool { return strings.HasPrefix(text, "command:") }

// writer is who may have written a configuration file.
type writer int

const (
	ours   writer = iota // the user who runs this
	system               // root, who has all rights anyway
)

// errTables is the error for an unknown table.
var errTables = errors.New("use only tables like [profile.notion]")

// noSetting is the error for an unknown key, with a similar known one.
func noSetting(path []string, known []Key) error {
	var names []string
	for _, k := range known {
		names = append(names, k.Name)
	}
	word := strings.Join(path, ".")
	return fmt.Errorf("unknown setting %q%s", word, strings.TrimSuffix(suggest.DidYouMean(word, names), "."))
}
