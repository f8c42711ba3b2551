package variables

import (
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/settings"
)

// answers are the flags that change the output format, or that apply to a
// single call. They have no environment variable, because one set elsewhere
// would break scripts that parse the output.
func answers() []string {
	return []string{"json", "name", "raw", "curl", "check", "unset", "force", "long", "ci", "to", "to-keeper", "for", "remote", "remote-port", "forget", "with-refresh-token", "due", "via", "write", "remove", "file", "migrate", "yes", "all", "expired", "background", "also", "call"}
}

// OfFlag returns the environment variable of a flag, "" if it has none.
func OfFlag(flag string) string {
	if slices.Contains(answers(), flag) {
		return ""
	}
	return OwnPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// WithoutFlag returns the settings without a flag.
func WithoutFlag() []settings.Key {
	return []settings.Key{
		{Name: "passphrase-command", Variable: StorePassphrase + "_COMMAND"},
		{Name: "passphrase-file", Variable: StorePassphrase + "_FILE"},
		{Name: "vault-address", Variable: "VAULT_ADDR"},
		{Name: "vault-audience", Variable: "MCP_LOGIN_VAULT_AUDIENCE"},
		{Name: "vault-auth", Variable: "MCP_LOGIN_VAULT_AUTH"},
		{Name: "vault-auth-mount", Variable: "MCP_LOGIN_VAULT_AUTH_MOUNT"},
		{Name: "vault-namespace", Variable: "VAULT_NAMESPACE"},
		{Name: "vault-role", Variable: "MCP_LOGIN_VAULT_ROLE"},
		{Name: "vault-secret", Variable: "MCP_LOGIN_VAULT_SECRET"},
		{Name: "vault-wrapped", Variable: "MCP_LOGIN_VAULT_WRAPPED"},
	}
}

// Key returns the setting with a name, without its default.
func Key(name string) settings.Key {
	i := slices.IndexFunc(WithoutFlag(), func(k settings.Key) bool { return k.Name == name })
	if i >= 0 {
		return WithoutFlag()[i]
	}
	return settings.Key{Name: name, Variable: OfFlag(name)}
}
