package clientconfig

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/mcpremote"
	"github.com/mcp-login/mcp-login/oauth"
)

// Migration is the replacement of mcp-remote by mcp-login in one entry of a
// client's file.
type Migration struct {
	Server
	Proxy []string // the command that takes the place of Command
	Notes []string // about options that need no counterpart
	Err   error    // why this entry cannot be migrated; Proxy is nil then
}

// Migrations returns one for each server that mcp-remote leads to. Program is
// how the clients are to start mcp-login.
func Migrations(servers []Server, program string) (all []Migration) {
	for _, s := range servers {
		args, ok := remoteArguments(s.Command)
		if !ok {
			continue
		}
		m := Migration{Server: s}
		var t mcpremote.Translation
		if t, m.Err = mcpremote.Translate(args); m.Err == nil {
			_, m.Err = oauth.CheckURL(t.Args[0])
		}
		if m.Err == nil {
			m.Proxy, m.Notes = append([]string{program, "proxy"}, t.Args...), t.Notes
		}
		all = append(all, m)
	}
	return all
}

// Apply returns the change that migrates entries of one file. All must be of that
// file, and have no Err.
func Apply(file string, migrations []Migration) (Change, error) {
	d, err := readDocument(file)
	if err != nil {
		return Change{}, &FileError{file, err}
	}
	text := d.text
	for _, m := range migrations {
		if text, err = m.rewrite(text); err != nil {
			return Change{}, &FileError{file, err}
		}
	}
	return newChange(file, d, text), nil
}

// rewrite replaces the command of the entry and keeps its other settings.
func (m Migration) rewrite(text []byte) ([]byte, error) {
	s := m.Client.format()
	decoded, err := s.decode(text)
	if err != nil {
		return nil, err
	}
	value, _ := lookup(decoded, m.path)
	entry, ok := value.(map[string]any)
	if !ok || !slices.Equal(commandOf(inner(entry)), m.Command) {
		return nil, ErrChanged
	}
	at := m.path
	if _, nested := entry["transport"].(map[string]any); nested {
		at = append(at[:len(at):len(at)], "transport")
		entry = inner(entry)
	}
	if _, table := s.(tomlSyntax); table {
		return edited(s, text, at, commandFields(entry, m.Proxy))
	}
	for _, f := range commandFields(entry, m.Proxy) {
		if f.key == "command" || f.key == "cmd" || f.key == "args" {
			if text, err = edited(s, text, append(at[:len(at):len(at)], f.key), f.value); err != nil {
				return nil, err
			}
		}
	}
	return text, nil
}

func inner(entry map[string]any) map[string]any {
	if t, ok := entry["transport"].(map[string]any); ok {
		return t
	}
	return entry
}

// commandFields returns an entry with another command.
func commandFields(entry map[string]any, command []string) (f fields) {
	if _, list := entry["command"].([]any); list {
		return fields{{"command", command}}
	}
	for _, key := range sortedKeys(entry) {
		switch key {
		case "command", "cmd":
			f = append(fields{{key, command[0]}, {"args", command[1:]}}, f...)
		case "args":
		default:
			f = append(f, field{key, rewritable(entry[key])})
		}
	}
	return f
}

// rewritable turns what a parser made of a value into what can be written again.
func rewritable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		f := fields{}
		for _, key := range sortedKeys(v) {
			f = append(f, field{key, rewritable(v[key])})
		}
		return f
	case []any:
		if words := appendStrings([]string{}, v); words != nil {
			return words
		}
	case int64:
		return int(v)
	}
	return v
}

// remoteArguments returns the arguments of mcp-remote if a command starts it.
func remoteArguments(command []string) ([]string, bool) {
	words := withoutShell(command)
	if len(words) == 0 {
		return nil, false
	}
	if isRemote(base(words[0])) {
		return words[1:], true
	}
	switch base(words[0]) {
	case "npx", "bunx", "pnpx":
		words = words[1:]
	case "npm", "pnpm", "yarn", "bun":
		if len(words) < 2 || !slices.Contains([]string{"exec", "dlx", "x"}, words[1]) {
			return nil, false
		}
		words = words[2:]
	case "node", "node.exe":
		if len(words) > 1 && strings.HasSuffix(strings.ReplaceAll(words[1], `\`, "/"), "mcp-remote/dist/proxy.js") {
			return words[2:], true
		}
		return nil, false
	default:
		return nil, false
	}
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		if takesPackage := words[0] == "-p" || words[0] == "--package"; takesPackage && len(words) > 1 {
			words = words[1:]
		}
		words = words[1:]
	}
	if len(words) == 0 || !isRemote(words[0]) {
		return nil, false
	}
	return words[1:], true
}

// ownArguments returns the arguments of mcp-login proxy if a command starts it.
func ownArguments(command []string) ([]string, bool) {
	words := withoutShell(command)
	if len(words) < 2 || base(words[0]) != "mcp-login" || words[1] != "proxy" {
		return nil, false
	}
	return words[2:], true
}

// withoutShell drops cmd /c, with which Windows starts what is a script there.
func withoutShell(command []string) []string {
	if len(command) > 2 && base(command[0]) == "cmd" && strings.EqualFold(command[1], "/c") {
		return command[2:]
	}
	return command
}

// base is the name of a program without its folder and without what Windows adds.
func base(program string) string {
	name := strings.ToLower(path.Base(strings.ReplaceAll(program, `\`, "/")))
	for _, suffix := range []string{".exe", ".cmd", ".ps1"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

var remotePackage = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^mcp-remote(@[A-Za-z0-9._^~-]+)?$`) })

func isRemote(word string) bool { return remotePackage().MatchString(word) }
