package main

import (
	"context"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/stores"
)

// values returns what the value of a flag may be, given how it begins.
func (e *env) values(ctx context.Context, l commandLine, flag, current string) []candidate {
	if flag == alsoFlag {
		return e.profileNames(ctx, l)
	}
	return valuesOfFlag(l.command, flag, current)
}

// valuesOfFlag returns those that are always the same.
func valuesOfFlag(c *cli.Command, flag, current string) []candidate {
	switch flag {
	case "format":
		return words(append(strings.Split(formatNames(), ", "), "auto"))
	case "flow":
		return list(strings.Split(flowNames, ", "), current)
	case "only":
		return list(suffixes, current)
	case "var":
		return list(assignments(), current)
	case "for":
		if c == nil || c.Name != "client-config" {
			return nil // how long
		}
		return words(clientconfig.Names())
	case "keeper", "to-keeper":
		return words([]string{stores.KeyFile, stores.Passphrase, stores.Keyring})
	case "log-level":
		return words(logLevels())
	case "log-format":
		return words(logFormats())
	case "redirect-host":
		return words([]string{"127.0.0.1", "localhost", "::1"})
	case "store", "to":
		return kinds([]string{"file:", "keyring:", "vault:"}, current)
	case "profile-dir":
		return []candidate{{kind: folders}}
	case "ca-cert", "program", "agent-sock", "socket", "forward-socket", "audit":
		return []candidate{{kind: files}}
	}
	if strings.HasSuffix(flag, "-from") {
		return kinds([]string{"file:", "env:", "command:", "prompt"}, current)
	}
	return nil
}

func words(all []string) []candidate {
	found := make([]candidate, len(all))
	for i, word := range all {
		found[i] = candidate{kind: aWord, word: word}
	}
	return found
}

// list completes the last word of several that are separated by commas.
func list(all []string, current string) []candidate {
	before := current[:strings.LastIndex(current, ",")+1]
	var found []candidate
	for _, word := range all {
		if !strings.Contains(","+before, ","+word+",") {
			found = append(found, candidate{kind: aWord, word: before + word})
		}
	}
	return found
}

// kinds completes what kind of source or store it is, and then the path of a file.
func kinds(all []string, current string) []candidate {
	if strings.HasPrefix(current, "file:") || strings.HasPrefix(current, "keyring:") {
		return []candidate{{kind: files}}
	}
	return words(all)
}

// assignments are the beginnings of what --var takes.
func assignments() []string {
	all := make([]string, len(suffixes))
	for i, suffix := range suffixes {
		all[i] = suffix + "="
	}
	return all
}
