package main

import (
	"context"
	"slices"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/secrets"
)

// location is the store that the options name.
func (o *common) location() stores.Location {
	return stores.Location{Store: o.store, ProfileDir: o.profileDir, Keeper: o.keeper}
}

// stores returns what opens stores.
func (e *env) stores(o *common) stores.Opener {
	return stores.Opener{
		Dirs: e.dirs(), Secrets: e.reader(), Vault: e.vault(o), Report: e.reportStore,
		Passphrase: e.passphraseSource(), NextPassphrase: e.passphrase(nextPassphrase).Source,
	}
}

func (e *env) openStore(ctx context.Context, o *common, ask bool) (secrets.Store, error) {
	return e.stores(o).Open(ctx, o.location(), ask)
}

// reportStore shows what people should know of a store that was opened.
func (e *env) reportStore(event stores.Event) {
	e.warnOnce(event.Warning)
	c := event.Choice
	if c == nil {
		return
	}
	if c.Err != nil {
		e.log.Info().Err(c.Err).Msg("the OS keyring cannot be used")
	}
	e.say("created the store %s, with its key in: %s, because %s (to change that: --keeper)", c.Dir, c.Keeper, c.Why)
}

// passphraseSource returns the source of the store's passphrase in the
// environment, else in the configuration.
func (e *env) passphraseSource() string {
	if source := e.passphrase(storePassphrase).Source; source != "" {
		return source
	}
	if path := e.configured("passphrase-file"); path != "" {
		return "file:" + path
	}
	if line := e.configured("passphrase-command"); line != "" {
		return "command:" + line
	}
	return ""
}

// vault returns what the environment and the configuration say of Vault. The
// vault program's own variables win over the configuration.
func (e *env) vault(o *common) stores.Vault {
	v := stores.Vault{
		Auth: e.setting("vault-auth"), AuthMount: e.setting("vault-auth-mount"), Role: e.setting("vault-role"),
		Secret: e.setting("vault-secret"), Wrapped: slices.Contains([]string{"1", "true"}, e.setting("vault-wrapped")),
		IDToken: func(ctx context.Context) (string, error) { return e.idToken(ctx, o, e.setting("vault-audience")) },
	}
	if e.getenv("VAULT_ADDR") == "" && e.getenv("VAULT_AGENT_ADDR") == "" {
		v.Address = e.configured("vault-address")
	}
	if e.getenv("VAULT_NAMESPACE") == "" {
		v.Namespace = e.configured("vault-namespace")
	}
	return v
}

// keepAlive renews the token for the store until stop is called.
func (e *env) keepAlive(ctx context.Context, store secrets.Store) (stop func()) {
	return stores.KeepAlive(ctx, store, func(err error) { e.log.Info().Err(err).Msg("the token for the store is not renewed") })
}
