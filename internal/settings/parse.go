package settings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2"
)

// parse parses a configuration file.
func parse(path string, text []byte, known []Key) (*File, error) {
	f := &File{path: path, global: map[string]entry{}, profiles: map[string]map[string]entry{}}
	var whole map[string]any
	if err := toml.Unmarshal(text, &whole); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ := at.Position()
			return nil, errorf("%s:%d: %w", path, line, err)
		}
		return nil, errorf("%s: %w", path, err)
	}
	keys, err := locate(text)
	if err != nil {
		return nil, f.profileTableError(err, whole)
	}
	for _, k := range keys {
		if err := f.add(k, whole, known); err != nil {
			return nil, errorf("%s:%d: %w", path, k.line, err)
		}
	}
	profiles, _ := whole["profile"].(map[string]any) // locate has rejected everything else
	for name, table := range profiles {
		if keys, _ := table.(map[string]any); len(keys) != len(f.profiles[name]) { // some are in an inline table
			return nil, errorf("%s: %w", path, errTables)
		}
	}
	return f, nil
}

// located is a key with its tables, as written in the file.
type located struct {
	path []string
	line int
}

// locate returns each key and its line, in order. To the strict mode of the TOML
// library every key but "profile" and the profiles' names is unknown here, and
// it reports where each unknown key is.
func locate(text []byte) ([]located, error) {
	var frame struct {
		Profile map[string]struct{} `toml:"profile"`
	}
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&frame)
	unknown, ok := errors.AsType[*toml.StrictMissingError](err)
	if !ok {
		return nil, err
	}
	var keys []located
	for _, k := range unknown.Errors {
		line, _ := k.Position()
		keys = append(keys, located{path: k.Key(), line: line})
	}
	return keys, nil
}

// profileTableError returns the error if "profile" is not a table of tables.
func (f *File) profileTableError(err error, whole map[string]any) error {
	line := 1
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ = at.Position()
	}
	what := errTables
	if _, ok := whole["profile"].(map[string]any); !ok {
		what = noSetting([]string{"profile"}, nil)
	}
	return errorf("%s:%d: %w", f.path, line, what)
}

// add adds one key. It rejects an unknown key, and one without a plain value.
func (f *File) add(k located, whole map[string]any, known []Key) error {
	value, found := at(whole, k.path)
	if !found { // the library omits the name of an inline table
		return errTables
	}
	table, path, profile := f.global, k.path, ""
	if len(path) > 2 && path[0] == "profile" {
		profile, path = path[1], path[2:]
		if f.profiles[profile] == nil {
			f.profiles[profile] = map[string]entry{}
		}
		table = f.profiles[profile]
	}
	i := slices.IndexFunc(known, func(k Key) bool { return k.Name == path[0] })
	if len(path) > 1 || i < 0 {
		if _, isTable := value.(map[string]any); isTable {
			return errTables
		}
		return noSetting(path, known)
	}
	texts, ok := textsOf(value, known[i].List)
	if !ok {
		return badValue(known[i])
	}
	table[path[0]] = entry{texts: texts, line: k.line, profile: profile}
	return nil
}

// at returns the value at a path.
func at(table map[string]any, path []string) (value any, found bool) {
	value = table
	for _, key := range path {
		table, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, found = table[key]; !found {
			return nil, false
		}
	}
	return value, true
}

// badValue is the error for a value of the wrong type.
func badValue(k Key) error {
	if k.List {
		return fmt.Errorf("%s: use a string, a number, true, false, or a list of strings", k.Name)
	}
	return fmt.Errorf("%s: use a string, a number, true or false", k.Name)
}

// textsOf returns a value as the user would type it.
func textsOf(value any, list bool) (texts []string, ok bool) {
	switch v := value.(type) {
	case string:
		return []string{v}, true
	case bool:
		return []string{strconv.FormatBool(v)}, true
	case int64:
		return []string{strconv.FormatInt(v, 10)}, true
	case float64:
		return []string{strconv.FormatFloat(v, 'g', -1, 64)}, true
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, list
	}
	return nil, false
}
