package stores

import "slices"

// PassphraseOf returns the source of the store's passphrase: that of the environment,
// else that of the configuration.
func PassphraseOf(environment string, configured func(setting string) string) string {
	if environment != "" {
		return environment
	}
	if path := configured("passphrase-file"); path != "" {
		return "file:" + path
	}
	if line := configured("passphrase-command"); line != "" {
		return "command:" + line
	}
	return ""
}

// VaultOf returns the Vault options of the environment and the configuration. Setting
// returns the value of a setting, configured only that of the configuration. The
// variables of the vault program take precedence over the configuration.
func VaultOf(getenv, setting, configured func(string) string) Vault {
	v := Vault{
		Auth: setting("vault-auth"), AuthMount: setting("vault-auth-mount"), Role: setting("vault-role"),
		Secret: setting("vault-secret"), Wrapped: slices.Contains([]string{"1", "true"}, setting("vault-wrapped")),
	}
	if getenv("VAULT_ADDR") == "" && getenv("VAULT_AGENT_ADDR") == "" {
		v.Address = configured("vault-address")
	}
	if getenv("VAULT_NAMESPACE") == "" {
		v.Namespace = configured("vault-namespace")
	}
	return v
}
