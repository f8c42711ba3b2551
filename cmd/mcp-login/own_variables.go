package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// ownPrefix begins the names of the environment variables that configure this
// program.
const ownPrefix = "MCP_LOGIN_"

// ownSecrets returns the names of this program's variables that hold a
// secret, or the source of one.
func ownSecrets() []string {
	names := []string{
		"MCP_LOGIN_ASSERTION_FROM", "MCP_LOGIN_CLIENT_KEY_FROM", "MCP_LOGIN_CLIENT_SECRET", "MCP_LOGIN_CLIENT_SECRET_FROM",
		"MCP_LOGIN_ID_TOKEN", "MCP_LOGIN_IDP_CLIENT_SECRET_FROM", "MCP_LOGIN_INITIAL_ACCESS_TOKEN_FROM",
		"MCP_LOGIN_LISTEN_TOKEN_FROM", "MCP_LOGIN_CLIENT_TOKEN_FROM", "MCP_LOGIN_RELAY_TOKEN_FROM", "MCP_LOGIN_SESSIONS", "MCP_LOGIN_SESSIONS_KEY_FROM", "MCP_LOGIN_SUBJECT_TOKEN_FROM", "MCP_LOGIN_VAULT_SECRET",
	}
	for _, name := range []string{storePassphrase, nextPassphrase, parcelPassphrase} {
		names = append(names, name, name+"_FILE", name+"_COMMAND")
	}
	return names
}

// withheld are the values of ownSecrets. They are read once and then taken out
// of the environment, so that no program gets them that is started from here:
// by exec, as a source or a browser, as a CI's tool, or by a library.
type withheld map[string]string

func readSecrets() withheld {
	w := withheld{}
	for _, name := range ownSecrets() {
		if value := os.Getenv(name); value != "" {
			w[name] = value
		}
	}
	return w
}

func (w withheld) getenv(name string) string {
	if value, ok := w[name]; ok {
		return value
	}
	return os.Getenv(name)
}

// withhold takes the variables away. The framework, which reads those of flags
// from the environment itself, must be done.
func (w withheld) withhold() {
	for name := range w {
		_ = os.Unsetenv(name) // it was set, so it is a name
	}
}

// isOwn reports whether this program could read a variable of this name as its
// configuration. Windows does not tell case apart.
func isOwn(name string) bool { return strings.HasPrefix(strings.ToUpper(name), ownPrefix) }

// freePrefix returns how the names of a profile's variables can begin: as usual,
// unless they would then be this program's own, as those of "login-id" would.
func freePrefix(profile string) string {
	prefix := envexport.Prefix(profile)
	if isOwn(prefix + "_") {
		return strings.TrimPrefix(prefix, "MCP_")
	}
	return prefix
}

// needsPrefix returns the flag without which a profile's variables are refused;
// nil: none.
func needsPrefix(profile string) []string {
	if prefix := freePrefix(profile); prefix != envexport.Prefix(profile) {
		return []string{"--prefix", prefix}
	}
	return nil
}

// ownNameError refuses to set a variable that this program would read.
type ownNameError struct {
	profile, name string
	flag          []string // that gives it another name
}

func (o *ownNameError) Error() string {
	return fmt.Sprintf("cannot set %s for %q: variables that begin with %s configure mcp-login itself", o.name, o.profile, ownPrefix)
}

// notOwn returns an ownNameError if one of the profile's variables is this
// program's own.
func (v variables) notOwn(profile string, names []string) error {
	i := slices.IndexFunc(names, isOwn)
	if i < 0 {
		return nil
	}
	suffix, other := v.suffixes()[i], strings.TrimPrefix(strings.ToUpper(names[i]), "MCP_")
	flag := []string{"--prefix", strings.TrimSuffix(other, "_"+suffix)}
	if v.renamed()[suffix] != "" {
		flag = []string{"--var", suffix + "=" + other}
	}
	return &ownNameError{profile, names[i], flag}
}

// otherName is the command that gives the variable another name. It is for one
// profile, as the flags are.
func (e *env) otherName(o *ownNameError) string {
	again := suggest.MCPLogin(e.line.path...).With(o.profile).With(o.flag...).With(e.again()...)
	if e.line.program != nil {
		again = again.With("--", "COMMAND")
	}
	return again.String()
}
