package access

import (
	"context"

	"github.com/mcp-login/mcp-login/internal/completion"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

// OpenStore opens the store that the options name. Only if ask is true, the store may
// be new, and the user may be prompted for a passphrase.
func (o Opener) OpenStore(ctx context.Context, ask bool) (secrets.Store, error) {
	return o.Stores().Open(ctx, o.Location(), ask)
}

// Stores returns what opens and inspects stores.
func (o Opener) Stores() stores.Opener {
	vault := stores.VaultOf(o.Getenv, o.Setting, o.Configured)
	vault.IDToken = func(ctx context.Context) (string, error) { return o.idToken(ctx, o.Setting("vault-audience")) }
	return stores.Opener{
		Dirs: o.Dirs, Secrets: o.reader(), Vault: vault, Created: o.created,
		Passphrase:     stores.PassphraseOf(o.Passphrase(variables.StorePassphrase).Source, o.Configured),
		NextPassphrase: o.Passphrase(variables.NextPassphrase).Source,
	}
}

// created says where a new store is and what protects it, in one line.
func (o Opener) created(c stores.Choice) {
	o.Log.Info("the keeper of the store's key was chosen", "keeper", c.Keeper, "because", c.Why, "error", c.Err)
	protection := "in a file (no keyring)"
	switch c.Keeper {
	case stores.Passphrase:
		protection = "protected by the passphrase"
	case stores.Keyring:
		protection = "in the OS keyring"
	}
	o.Streams.Say("created the store %s; its key is %s", o.Dirs.Tilde(c.Dir), protection)
}

// KeepAlive renews the token for a store until stop is called.
func (o Opener) KeepAlive(ctx context.Context, store secrets.Store) (stop func()) {
	return stores.KeepAlive(ctx, store, func(err error) { o.Log.Info("cannot renew the token for the store", "error", err) })
}

// ProfileNames returns the names in the configuration and in a store of files, or an
// agent in its place, as far as that takes no key and no network.
func (o Opener) ProfileNames(ctx context.Context) []string {
	names := o.File.Profiles()
	if socket := o.Agent(); socket != "" {
		return append(names, completion.InAgent(ctx, socket)...)
	}
	at := stores.Location{Store: o.Setting("store"), ProfileDir: o.Setting("profile-dir")}
	return append(names, completion.InFolder(ctx, o.Stores(), at)...)
}
