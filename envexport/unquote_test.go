package envexport_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/mcp-login/mcp-login/envexport"
)

// errUnquote means that the reader of a format would not parse text as one
// assignment. The fuzz tests check the writers against these readers.
var errUnquote = errors.New("not one assignment")

// unquote parses the value of the single variable X that text sets. Its rules are
// independent of the writer's.
func unquote(f envexport.Format, text string) (string, error) {
	switch f {
	case envexport.Sh:
		return words(text, "export X=", "\n", '\'', "", true)
	case envexport.Tcsh:
		return words(text, "setenv X ", ";\n", '\'', "!", true)
	case envexport.Fish:
		return words(text, "set -gx X ", "\n", '\'', `\'`, false)
	case envexport.Systemd:
		return words(text, "X=", "\n", '"', "\\\"`$", false)
	case envexport.Dotenv:
		return words(text, "X=", "\n", '\'', "", false)
	case envexport.Elvish:
		return doubled(text, "set-env X ")
	case envexport.PowerShell:
		return powershell(text)
	case envexport.Nushell:
		return nushell(text)
	case envexport.Cmd:
		return between(text, `set "X=`, "\"\r\n")
	case envexport.Docker:
		return between(text, "X=", "\n")
	case envexport.JSON:
		var object struct{ X string }
		err := json.Unmarshal([]byte(text), &object)
		return object.X, err
	}
	return "", fmt.Errorf("no reader for %s", f)
}

func between(text, before, after string) (string, error) {
	rest, ok := strings.CutPrefix(text, before)
	value, ok2 := strings.CutSuffix(rest, after)
	if !ok || !ok2 {
		return "", errUnquote
	}
	return value, nil
}

// words parses one word of quoted parts. In quotes, a backslash escapes the
// characters in escapes and is literal before any other; outside, where allowed, it
// escapes the next character.
func words(text, before, after string, quote byte, escapes string, outside bool) (string, error) {
	s, err := between(text, before, after)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			quoted = !quoted
		case c == '\\' && quoted && i+1 < len(s) && strings.IndexByte(escapes, s[i+1]) >= 0,
			c == '\\' && !quoted && outside && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case !quoted, strings.Contains(escapes, "!") && c == '!', strings.Contains(escapes, "$") && (c == '$' || c == '`'):
			return "", errUnquote // the reader would expand or split here
		default:
			b.WriteByte(c)
		}
	}
	if quoted {
		return "", errUnquote
	}
	return b.String(), nil
}

func doubled(text, before string) (string, error) {
	s, err := between(text, before+"'", "'\n")
	if err != nil || strings.Contains(strings.ReplaceAll(s, "''", ""), "'") {
		return "", errUnquote
	}
	return strings.ReplaceAll(s, "''", "'"), nil
}

func powershell(text string) (string, error) {
	s, err := between(text, "$env:X = ", "\n")
	if err != nil {
		return "", err
	}
	var units []uint16
	for s != "" {
		if hex, ok := strings.CutPrefix(s, "[char]0x"); ok && len(hex) >= 4 {
			n, err := strconv.ParseUint(hex[:4], 16, 16)
			if err != nil || units == nil {
				return "", errUnquote
			}
			units, s = append(units, uint16(n)), strings.TrimPrefix(hex[4:], "+")
			continue
		}
		if s[0] != '\'' {
			return "", errUnquote
		}
		if units == nil {
			units = []uint16{}
		}
		i := 1
		for ; i < len(s); i++ {
			if s[i] == '\'' {
				if i+1 == len(s) || s[i+1] != '\'' {
					break
				}
				i++
			}
			if s[i] > '~' || s[i] < ' ' {
				return "", errUnquote
			}
			units = append(units, uint16(s[i]))
		}
		if i == len(s) {
			return "", errUnquote
		}
		s = strings.TrimPrefix(s[i+1:], "+")
	}
	return string(utf16.Decode(units)), nil
}

func nushell(text string) (string, error) {
	s, err := between(text, `$env.X = "`, "\"\n")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for s != "" {
		if s[0] == '"' || s[0] < ' ' {
			return "", errUnquote
		}
		if s[0] != '\\' {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if hex, ok := strings.CutPrefix(s, `\u{`); ok {
			digits, rest, _ := strings.Cut(hex, "}")
			n, err := strconv.ParseUint(digits, 16, 32)
			if err != nil {
				return "", errUnquote
			}
			b.WriteRune(rune(n))
			s = rest
			continue
		}
		if len(s) < 2 || s[1] != '"' && s[1] != '\\' {
			return "", errUnquote
		}
		b.WriteByte(s[1])
		s = s[2:]
	}
	return b.String(), nil
}
