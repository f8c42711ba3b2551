package invocation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
)

// needs returns the flags of which a flag needs one to have an effect; nil: it needs
// none. The rule applies to commands that have one of them.
func needs(flag string) []string {
	switch flag {
	case "args":
		return []string{"call"}
	case "allow-unmasked":
		return []string{"ci"}
	case "yes":
		return []string{"migrate"}
	case "remote-port":
		return []string{"remote"}
	case "keep-sinks":
		return []string{"sink"}
	case "log-file":
		return []string{"background"}
	case "listen-token-from":
		return []string{"listen"}
	case "relay-token-from":
		return []string{"relay"}
	case "client-key-id", "client-key-audience":
		return []string{"client-key-from"}
	case "subject-token-type":
		return []string{"subject-token-from"}
	case "idp-client-id", "idp-client-secret-from":
		return []string{"idp-issuer", "idp-token-endpoint"}
	case "acme-directory", "acme-email":
		return []string{"acme-cache"}
	}
	return nil
}

// checkNeeds returns an error for a typed flag that has no effect without another one.
// The environment and the configuration serve several commands, so that their values
// may have none.
func (i Invocation) checkNeeds(f commandline.Flag) error {
	needed := slices.DeleteFunc(needs(f.Name), func(name string) bool { return !i.Line.Takes(name) })
	if len(needed) == 0 || !i.Typed(f.Name) || !i.effective(f.Name) || slices.ContainsFunc(needed, i.effective) {
		return nil
	}
	return exit.Usagef("--%s has no effect without --%s", f.Name, strings.Join(needed, " or --"))
}

// effective reports whether a flag has a value, from any source, and is not off.
func (i Invocation) effective(flag string) bool {
	if f, _ := i.Line.Find(flag); f.Bool {
		on, _ := strconv.ParseBool(i.Setting(flag)) // CheckValues reports an invalid value
		return on
	}
	return i.Chosen(flag)
}
