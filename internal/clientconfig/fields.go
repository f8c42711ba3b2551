package clientconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// fields is an object whose keys keep their order. A value is a string, bool,
// int, []string or fields.
type fields []field

type field struct {
	key   string
	value any
}

// under returns f as the innermost of nested objects.
func (f fields) under(keys ...string) fields {
	for i := len(keys) - 1; i >= 0; i-- {
		f = fields{{keys[i], f}}
	}
	return f
}

// MarshalJSON implements json.Marshaler.
func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := compactJSON(field.key)
		if err != nil {
			return nil, err
		}
		value, err := compactJSON(field.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func compactJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// plain returns what a parser makes of f.
func (f fields) plain() map[string]any {
	m := map[string]any{}
	for _, field := range f {
		m[field.key] = plainValue(field.value)
	}
	return m
}

func plainValue(v any) any {
	switch v := v.(type) {
	case fields:
		return v.plain()
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list
	}
	return v
}

// inline writes a value as TOML does, and as YAML takes it too. Objects are
// written with the sign between key and value that the format has.
func inline(v any, sign string) string {
	switch v := v.(type) {
	case string:
		return quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case []string:
		words := make([]string, len(v))
		for i, s := range v {
			words[i] = quoted(s)
		}
		return "[" + strings.Join(words, ", ") + "]"
	case fields:
		pairs := make([]string, len(v))
		for i, f := range v {
			pairs[i] = f.key + sign + inline(f.value, sign)
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	panic(fmt.Sprintf("no field has a value of type %T", v))
}

// quoted writes a basic string of TOML (https://toml.io/en/v1.0.0#string), which
// is a double-quoted scalar of YAML (https://yaml.org/spec/1.2.2/#731-double-quoted-style)
// too.
func quoted(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
	return printable.Escape(`"`+s+`"`, func(r rune) string { return fmt.Sprintf(`\U%08X`, r) })
}
