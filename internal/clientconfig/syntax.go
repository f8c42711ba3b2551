package clientconfig

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// syntax is a file format: how it is read, and how one value in it is changed
// while the rest stays as it is. An empty file is an empty object.
type syntax interface {
	snippet(keys []string, name string, f fields) []byte
	decode(text []byte) (map[string]any, error)
	// set gives the value at path, which is a string, bool, int, []string or fields.
	// It makes the objects that are missing.
	set(text []byte, path []string, value any) ([]byte, error)
	// remove takes the value at path away, which is there.
	remove(text []byte, path []string) ([]byte, error)
}

// errByHand means that a file cannot be edited while its other content stays as
// it is.
var errByHand = errors.New("it cannot be changed without a change of other parts")

// edited returns text with value at path, or without what is there if value is
// nil. It has read the result again: all other values are as they were.
func edited(s syntax, text []byte, path []string, value any) ([]byte, error) {
	before, err := s.decode(text)
	if err != nil {
		return nil, err
	}
	var after []byte
	if value == nil {
		after, err = s.remove(text, path)
	} else {
		after, err = s.set(text, path, value)
	}
	if err != nil {
		return nil, err
	}
	got, err := s.decode(after)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errByHand, err)
	}
	if value != nil {
		value = plainValue(value)
	}
	want := with(before, path, value)
	if servers, _ := want[path[0]].(map[string]any); len(servers) == 0 && !has(got, path[:1]) {
		delete(want, path[0]) // an empty table of TOML is gone with its last entry
	}
	if !reflect.DeepEqual(normal(got), normal(want)) {
		return nil, errByHand
	}
	return after, nil
}

// with returns a copy of m with value at path, or without it if value is nil.
func with(m map[string]any, path []string, value any) map[string]any {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	switch {
	case len(path) > 1:
		inner, _ := m[path[0]].(map[string]any)
		m[path[0]] = with(inner, path[1:], value)
	case value == nil:
		delete(m, path[0])
	default:
		m[path[0]] = value
	}
	return m
}

// normal makes values comparable that parsers give different types: numbers, and
// lists.
func normal(v any) any {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Map:
		m := map[string]any{}
		for _, key := range r.MapKeys() {
			m[fmt.Sprint(key)] = normal(r.MapIndex(key).Interface())
		}
		return m
	case reflect.Slice:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = normal(r.Index(i).Interface())
		}
		return list
	case reflect.Invalid:
		return nil
	case reflect.Bool, reflect.Struct:
		return v
	}
	return fmt.Sprint(v)
}

// lookup returns the value at path in a decoded file.
func lookup(m map[string]any, path []string) (any, bool) {
	for i, key := range path {
		v, ok := m[key]
		if !ok || i == len(path)-1 {
			return v, ok
		}
		if m, ok = v.(map[string]any); !ok {
			return nil, false
		}
	}
	return m, true
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
