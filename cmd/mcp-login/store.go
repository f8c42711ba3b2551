package main

import (
	"context"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

// location is the store that the options name.
func (o *common) location() stores.Location {
	return stores.Location{Store: o.store, ProfileDir: o.profileDir, Keeper: o.keeper}
}

// stores returns what opens stores.
func (e *call) stores(o *common) stores.Opener {
	return stores.Opener{
		Dirs: e.dirs(), Secrets: e.reader(), Vault: e.vault(o), Report: e.reportStore,
		Passphrase: stores.PassphraseOf(e.passphrase(variables.StorePassphrase).Source, e.Configured), NextPassphrase: e.passphrase(variables.NextPassphrase).Source,
	}
}

func (e *call) openStore(ctx context.Context, o *common, ask bool) (secrets.Store, error) {
	return e.stores(o).Open(ctx, o.location(), ask)
}

// reportStore shows what people should know of a store that was opened.
func (e *call) reportStore(event stores.Event) {
	e.warn(event.Warning)
	c := event.Choice
	if c == nil {
		return
	}
	if c.Err != nil {
		e.log.Info().Err(c.Err).Msg("the OS keyring cannot be used")
	}
	e.say("created the store %s, with its key in: %s, because %s (to change that: --keeper)", c.Dir, c.Keeper, c.Why)
}

// vault returns what the environment and the configuration say of Vault.
func (e *call) vault(o *common) stores.Vault {
	v := stores.VaultOf(e.getenv, e.Setting, e.Configured)
	v.IDToken = func(ctx context.Context) (string, error) { return e.idToken(ctx, o, e.Setting("vault-audience")) }
	return v
}

// keepAlive renews the token for the store until stop is called.
func (e *call) keepAlive(ctx context.Context, store secrets.Store) (stop func()) {
	return stores.KeepAlive(ctx, store, func(err error) { e.log.Info().Err(err).Msg("the token for the store is not renewed") })
}
