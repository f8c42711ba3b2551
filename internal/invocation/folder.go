package invocation

import (
	"path/filepath"
	"slices"
	"strings"
)

// FromAnywhere makes the paths in flags absolute, so that a command works in any
// folder.
func FromAnywhere(words []string) []string {
	words = slices.Clone(words)
	for i, word := range words {
		name, value, joined := strings.Cut(word, "=")
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		switch name {
		case "--profile-dir", "--ca-cert", "--agent-sock":
			value = Absolute(value)
		case "--store":
			kind, dir, _ := strings.Cut(value, ":")
			if kind == "vault" || dir == "" {
				continue
			}
			value = kind + ":" + Absolute(dir)
		default:
			continue
		}
		if joined {
			words[i] = name + "=" + value
		} else if i+1 < len(words) {
			words[i+1] = value
		}
	}
	return words
}

// Absolute returns an absolute path. If the working folder is unknown, it returns the
// path unchanged.
func Absolute(path string) string {
	if abs, err := filepath.Abs(path); path != "" && err == nil {
		return abs
	}
	return path
}
