package clientconfig

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// tomlSyntax is TOML. It changes whole tables, such as [mcp_servers.notion], as
// text.
type tomlSyntax struct{}

func (tomlSyntax) snippet(keys []string, name string, f fields) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "[%s]\n", strings.Join(append(keys[:len(keys):len(keys)], bareKey(name)), "."))
	for _, field := range f {
		fmt.Fprintf(&b, "%s = %s\n", bareKey(field.key), inline(field.value, " = "))
	}
	return b.Bytes()
}

func bareKey(key string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(key) {
		return key
	}
	return quoted(key)
}

func (tomlSyntax) decode(text []byte) (map[string]any, error) {
	var m map[string]any
	err := toml.Unmarshal(text, &m)
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, _ := e.Position()
		return nil, fmt.Errorf("line %d: %s", row, strings.TrimPrefix(e.Error(), "toml: "))
	}
	return m, err
}

func (s tomlSyntax) set(text []byte, path []string, value any) ([]byte, error) {
	f, ok := value.(fields)
	if !ok || len(path) < 2 {
		return nil, errByHand
	}
	last := len(path) - 1
	table := s.snippet(path[:last], path[last], f)
	if begin, end, found := tableLines(text, path); found {
		return slices.Concat(text[:begin], table, text[end:]), nil
	}
	if text = bytes.TrimRight(text, "\n"); len(text) > 0 {
		text = append(text[:len(text):len(text)], "\n\n"...)
	}
	return slices.Concat(text, table), nil
}

func (tomlSyntax) remove(text []byte, path []string) ([]byte, error) {
	begin, end, found := tableLines(text, path)
	if !found {
		return nil, errByHand
	}
	before := text[:begin]
	if end < len(text) {
		return slices.Concat(before, text[end:]), nil
	}
	if before = bytes.TrimRight(before, "\n"); len(before) == 0 {
		return []byte{}, nil
	}
	return slices.Concat(before, []byte("\n")), nil
}

// tableLines returns where in text the table at path is, with the tables in it.
// Comments and empty lines before the next table are not its own.
func tableLines(text []byte, path []string) (begin, end int, found bool) {
	offset, content := 0, 0
	for line := range bytes.Lines(text) {
		if header := headerPath(line); header != nil {
			inside := len(header) >= len(path) && slices.Equal(header[:len(path)], path)
			switch {
			case inside && !found:
				begin, found = offset, true
			case !inside && found:
				return begin, content, true
			}
		}
		offset += len(line)
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] != '#' {
			content = offset
		}
	}
	return begin, content, found
}

// headerPath returns the keys of a table's header, nil for another line.
func headerPath(line []byte) []string {
	if trimmed := bytes.TrimSpace(line); len(trimmed) == 0 || trimmed[0] != '[' {
		return nil
	}
	var m map[string]any
	if toml.Unmarshal(line, &m) != nil {
		return nil // the end of a list, say
	}
	var path []string
	for len(m) == 1 {
		for key, value := range m {
			path = append(path, key)
			m, _ = value.(map[string]any)
		}
	}
	return path
}
