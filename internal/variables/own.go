// Package variables knows the environment variables that configure this program, and
// the names of those that env and exec set for a profile. It must not read the
// environment itself, nor know where a credential comes from.
package variables

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/envexport"
)

// OwnPrefix begins the names of the variables that configure this program.
const OwnPrefix = "MCP_LOGIN_"

// The variables that hold a passphrase, or with _FILE or _COMMAND at the end
// say where it is.
const (
	StorePassphrase  = "MCP_LOGIN_PASSPHRASE"
	NextPassphrase   = "MCP_LOGIN_NEW_PASSPHRASE"
	ParcelPassphrase = "MCP_LOGIN_EXPORT_PASSPHRASE"
)

// OwnSecrets returns the names of this program's variables that hold a secret, or
// the source of one.
func OwnSecrets() []string {
	names := []string{
		"MCP_LOGIN_ASSERTION_FROM", "MCP_LOGIN_CLIENT_KEY_FROM", "MCP_LOGIN_CLIENT_SECRET", "MCP_LOGIN_CLIENT_SECRET_FROM",
		"MCP_LOGIN_HEADER", "MCP_LOGIN_HEADER_FROM", "MCP_LOGIN_ID_TOKEN", "MCP_LOGIN_IDP_CLIENT_SECRET_FROM", "MCP_LOGIN_INITIAL_ACCESS_TOKEN_FROM",
		"MCP_LOGIN_LISTEN_TOKEN_FROM", "MCP_LOGIN_CLIENT_TOKEN_FROM", "MCP_LOGIN_RELAY_TOKEN_FROM", "MCP_LOGIN_SESSIONS", "MCP_LOGIN_SESSIONS_KEY_FROM", "MCP_LOGIN_SUBJECT_TOKEN_FROM", "MCP_LOGIN_VAULT_SECRET",
	}
	for _, name := range []string{StorePassphrase, NextPassphrase, ParcelPassphrase} {
		names = append(names, name, name+"_FILE", name+"_COMMAND")
	}
	return names
}

// Withheld are the values of OwnSecrets. They are read once, and then the program
// takes them out of its environment, so that no program gets them that it starts:
// by exec, as a source or a browser, as a CI's tool, or by a library.
type Withheld map[string]string

// Withhold reads the values.
func Withhold(getenv func(string) string) Withheld {
	w := Withheld{}
	for _, name := range OwnSecrets() {
		if value := getenv(name); value != "" {
			w[name] = value
		}
	}
	return w
}

// Over returns a getenv that returns these values, else those of the
// environment.
func (w Withheld) Over(getenv func(string) string) func(string) string {
	return func(name string) string {
		if value, ok := w[name]; ok {
			return value
		}
		return getenv(name)
	}
}

// Into returns the environment with the secrets, for this program in the background.
func (w Withheld) Into(environ []string) []string {
	environ = slices.Clone(environ)
	for _, name := range slices.Sorted(maps.Keys(w)) {
		environ = append(environ, name+"="+w[name])
	}
	return environ
}

// Empty returns the names of this program's variables that are set to "", for
// example by a CI job or a wrapper that passes on unset variables.
func Empty(environ []string) (names []string) {
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); value == "" && strings.HasPrefix(name, OwnPrefix) {
			names = append(names, name)
		}
	}
	return names
}

// Public omits this program's own variables, including settings: a browser
// outlives this program and needs none of them.
func Public(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), isOwn)
}

// isOwn reports whether this program could read a variable of this name as its
// configuration. Names are case-insensitive on Windows.
func isOwn(name string) bool { return strings.HasPrefix(strings.ToUpper(name), OwnPrefix) }

// FreePrefix returns a prefix for a profile's variables: the usual one, unless
// the names would be this program's own variables, as for "login-id".
func FreePrefix(profile string) string {
	prefix := envexport.Prefix(profile)
	if isOwn(prefix + "_") {
		return strings.TrimPrefix(prefix, "MCP_")
	}
	return prefix
}

// PrefixFlag returns the flag that a profile's variables require; nil: none.
func PrefixFlag(profile string) []string {
	if prefix := FreePrefix(profile); prefix != envexport.Prefix(profile) {
		return []string{"--prefix", prefix}
	}
	return nil
}

// OwnNameError means that a variable would be read by this program itself.
type OwnNameError struct {
	Profile, Name string
	Flag          []string // flag that renames it
}

func (o *OwnNameError) Error() string {
	return fmt.Sprintf("cannot set %s for %q: variables that begin with %s are mcp-login's own settings", o.Name, o.Profile, OwnPrefix)
}

// notOwn returns an OwnNameError if one of the profile's variables is this
// program's own.
func (n Naming) notOwn(profile string, names []string) error {
	i := slices.IndexFunc(names, isOwn)
	if i < 0 {
		return nil
	}
	suffix, other := n.suffixes()[i], strings.TrimPrefix(strings.ToUpper(names[i]), "MCP_")
	flag := []string{"--prefix", strings.TrimSuffix(other, "_"+suffix)}
	if n.renamed()[suffix] != "" {
		flag = []string{"--var", suffix + "=" + other}
	}
	return &OwnNameError{profile, names[i], flag}
}
