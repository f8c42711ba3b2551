// Package settings finds the value of each setting and where it comes from: the
// command line, the environment, a profile's table of the configuration file,
// the rest of the file, or the default. It must not know the commands or how
// flags are parsed: it gets the known keys and the typed values.
package settings

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Key describes a setting.
type Key struct {
	Name     string // in the configuration file, and of the flag if one sets it
	Variable string // environment variable; "": none
	Default  string
	List     bool // takes several values
}

// Sorted returns keys by name. Of keys with the same name it keeps the last.
func Sorted(keys ...[]Key) []Key {
	byName := map[string]Key{}
	for _, k := range slices.Concat(keys...) {
		byName[k.Name] = k
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
}

// Origin is the kind of source of a value.
type Origin string

// The origins, in order of precedence.
const (
	Flag        Origin = "flag"
	Environment Origin = "environment"
	Profile     Origin = "profile" // a table [profile.NAME]
	Global      Origin = "global"  // the part of the file for all profiles
	Default     Origin = "default"
)

// Value is the value of a setting.
type Value struct {
	Name   string
	Texts  []string // as the user would type them; at most one, unless the key is a list
	Origin Origin
	Source string // the variable, or the file and line; "": neither
	Table  string // the table of the file that it is in; "": none
}

// Text returns the value as one text.
func (v Value) Text() string { return strings.Join(v.Texts, " ") }

// Configured reports whether the value comes from the configuration file.
func (v Value) Configured() bool { return v.Origin == Profile || v.Origin == Global }

// Invalid returns the error for a text of the configuration file that its flag
// does not accept.
func (v Value) Invalid(text string, err error) error {
	return &Error{fmt.Errorf("%s: %s: %q: %w", v.Source, v.Name, text, err)}
}

// Error is an error of the configuration.
type Error struct{ Err error }

func (e *Error) Error() string { return "configuration: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func errorf(format string, a ...any) error { return &Error{fmt.Errorf(format, a...)} }

// Settings returns the values of settings. It is immutable.
type Settings struct {
	Typed    func(name string) []string // values of a flag on the command line; nil: none
	Getenv   func(name string) string
	File     *File    // nil: there is none
	Profiles []string // whose tables of the file apply
}

// For returns the settings that apply to other profiles.
func (s Settings) For(profiles ...string) Settings {
	s.Profiles = profiles
	return s
}

// Get returns the value of a setting. It ignores empty environment variables.
// If the profiles have different values, it returns an error.
func (s Settings) Get(k Key) (Value, error) {
	if typed := s.Typed(k.Name); len(typed) > 0 {
		if !k.List {
			typed = typed[len(typed)-1:]
		}
		return Value{Name: k.Name, Texts: typed, Origin: Flag}, nil
	}
	if k.Variable != "" {
		if text := s.Getenv(k.Variable); text != "" {
			return Value{Name: k.Name, Texts: []string{text}, Origin: Environment, Source: k.Variable}, nil
		}
	}
	return s.configured(k)
}

// configured returns the value in the configuration file, else the default.
func (s Settings) configured(k Key) (Value, error) {
	set, found, err := s.File.lookup(k.Name, s.Profiles)
	switch {
	case err != nil:
		return Value{}, err
	case !found && k.Default == "":
		return Value{Name: k.Name, Origin: Default}, nil
	case !found:
		return Value{Name: k.Name, Texts: []string{k.Default}, Origin: Default}, nil
	}
	v := Value{Name: k.Name, Texts: set.texts, Origin: Global, Source: fmt.Sprintf("%s:%d", s.File.path, set.line)}
	if set.profile != "" {
		v.Origin, v.Table = Profile, "profile."+set.profile
	}
	return v, nil
}

// lookup returns the common value of some profiles in the file: from their
// tables, else from the global part.
func (f *File) lookup(key string, profiles []string) (entry, bool, error) {
	if f == nil {
		return entry{}, false, nil
	}
	set, found := f.global[key]
	for i, name := range profiles {
		own, ok := f.profiles[name][key]
		if !ok {
			own, ok = f.global[key]
		}
		if i > 0 && (ok != found || !slices.Equal(own.texts, set.texts)) {
			return entry{}, false, errorf("%s: %q and %q have different values of %s; use one name at a time", f.path, profiles[0], name, key)
		}
		set, found = own, ok
	}
	return set, found, nil
}
