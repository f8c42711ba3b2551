package completion

import (
	"context"
	"strings"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// alsoFlag names more profiles.
const alsoFlag = "also"

// values returns the candidates for the value of a flag, given its prefix.
func (w Words) values(ctx context.Context, l commandline.Line, flag, current string) []candidate {
	switch flag {
	case alsoFlag:
		return w.profiles(ctx, l)
	case "flow":
		return list(w.Flows, current)
	}
	return valuesOfFlag(l.Command, flag, current)
}

// valuesOfFlag returns the constant values of a flag.
func valuesOfFlag(c *commandline.Command, flag, current string) []candidate {
	switch flag {
	case "format":
		return words(formats())
	case "only":
		return list(variables.Suffixes(), current)
	case "var":
		return list(assignments(), current)
	case "for":
		if c == nil || c.Name != "client-config" {
			return nil // a duration
		}
		return words(clientconfig.Names())
	case "keeper", "to-keeper":
		return words([]string{stores.KeyFile, stores.Passphrase, stores.Keyring})
	case "log-level":
		return words(LogLevels())
	case "log-format":
		return words(LogFormats())
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

// list completes the last of several comma-separated words.
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

// formats returns the values of --format.
func formats() []string {
	var names []string
	for _, f := range envexport.Formats() {
		names = append(names, string(f))
	}
	return append(names, "auto")
}

// assignments are the prefixes of --var values.
func assignments() []string {
	all := variables.Suffixes()
	for i, suffix := range all {
		all[i] = suffix + "="
	}
	return all
}

// LogLevels returns the values of --log-level.
func LogLevels() []string { return []string{"trace", "debug", "info", "warn", "error", "disabled"} }

// LogFormats returns the values of --log-format.
func LogFormats() []string { return []string{"text", "json"} }
