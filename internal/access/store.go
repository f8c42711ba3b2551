package access

import (
	"context"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

// OpenStore opens the store that the options name. Only if ask is true, the store may
// be new, and the user may be prompted for a passphrase.
func (o Opener) OpenStore(ctx context.Context, ask bool) (secrets.Store, error) {
	return o.Stores().Open(ctx, o.Location(), ask)
}

// Stores returns the opener of stores.
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

// UseStore says how commands use a store from now on: in this shell, and in all. None: it
// is the one that they use.
func (o Opener) UseStore(store string) []string {
	const variable = "MCP_LOGIN_STORE"
	configured := o.Getenv(variable) != "" || o.Configured("store") != ""
	if same, err := o.Stores().Same(stores.Location{}, stores.Location{Store: store}); err == nil && same && !configured {
		return nil
	}
	store = invocation.FromAnywhere([]string{"--store", store})[1]
	lines := []string{"next: " + suggest.Export(variable, store)}
	if path, _, err := settings.Find(o.Getenv); err == nil {
		lines = append(lines, fmt.Sprintf("or for every shell, in %s: store = %q", o.Dirs.Tilde(path), store))
	}
	return lines
}

// KeepAlive renews the token for a store until stop is called.
func (o Opener) KeepAlive(ctx context.Context, store secrets.Store) (stop func()) {
	return stores.KeepAlive(ctx, store, func(err error) { o.Log.Info("cannot renew the token for the store", "error", err) })
}

// namesTimeout limits the request to an agent for its names, because the user is typing.
const namesTimeout = 500 * time.Millisecond

// ProfileNames returns the names in the configuration and in a store of files, or an
// agent in its place, as far as that takes no key and no network.
func (o Opener) ProfileNames(ctx context.Context) []string {
	names := o.File.Profiles()
	if socket := o.Agent(); socket != "" {
		ctx, cancel := context.WithTimeout(ctx, namesTimeout)
		defer cancel()
		issued, _ := (&agent.Client{Socket: socket}).Profiles(ctx) // best effort
		return append(names, issued...)
	}
	at := stores.Location{Store: o.Setting("store"), ProfileDir: o.Setting("profile-dir")}
	stored, _ := o.Stores().ListFolder(ctx, at) // best effort
	return append(names, stored...)
}
