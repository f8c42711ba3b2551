package mcpwire

import (
	"encoding/json"
	"iter"
)

// Prefix returns the JSON value with which a text begins, whatever comes after it; nil if
// there is none.
func Prefix(text []byte) []byte {
	var s Scanner
	_, _ = s.Write(text) // it cannot fail
	if s.Complete(); !s.done {
		return nil
	}
	return text[s.root.Start:s.root.End]
}

// Elements returns where the elements of an array stand. The text must be valid JSON. What
// is not an array has none.
func Elements(text []byte) iter.Seq[Span] {
	return func(yield func(Span) bool) { children(text, '[', yield) }
}

// Members returns the names of an object's members, and where their values stand. The text
// must be valid JSON. What is not an object has none.
func Members(text []byte) iter.Seq2[string, Span] {
	return func(yield func(string, Span) bool) {
		var name *string
		children(text, '{', func(at Span) bool {
			if name == nil {
				name = new(string)
				_ = json.Unmarshal(text[at.Start:at.End], name) // a string, in valid JSON
				return true
			}
			goOn := yield(*name, at)
			name = nil
			return goOn
		})
	}
}

// Member returns the value of the last member of a name; nil if there is none.
func Member(text []byte, name string) (value json.RawMessage) {
	for found, at := range Members(text) {
		if found == name {
			value = text[at.Start:at.End]
		}
	}
	return value
}

// children finds what stands between the brackets of a value, and the commas and colons.
func children(text []byte, bracket byte, yield func(Span) bool) {
	i := skipSpaces(text, 0)
	if i == len(text) || text[i] != bracket {
		return
	}
	for i = skipSpaces(text, i+1); text[i] != ']' && text[i] != '}'; {
		end := valueEnd(text, i)
		if !yield(Span{i, end}) {
			return
		}
		if i = skipSpaces(text, end); text[i] == ',' || text[i] == ':' {
			i = skipSpaces(text, i+1)
		}
	}
}

func skipSpaces(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

// valueEnd returns where the value ends that starts at i.
func valueEnd(text []byte, i int) int {
	for depth := 0; i < len(text); {
		switch c := text[i]; c {
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case '"':
			i = stringEnd(text, i+1)
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
			continue // within an object or array, because a value starts with none of them
		default:
			i = scalarEnd(text, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// stringEnd returns where the string ends in which i is.
func stringEnd(text []byte, i int) int {
	for {
		i += plainLength(text[i:])
		if text[i] == '"' {
			return i + 1
		}
		i += 2 // an escape
	}
}

// scalarEnd returns where a number, true, false or null ends.
func scalarEnd(text []byte, i int) int {
	for i < len(text) && !isSpace(text[i]) && text[i] != ',' && text[i] != '}' && text[i] != ']' {
		i++
	}
	return i
}
