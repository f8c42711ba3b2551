package stores

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/cliconfig"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// Vault has connection and sign-in options for Vault, in addition to the
// environment variables of the vault program.
type Vault struct {
	Address, Namespace string // unless the environment has them
	Auth               string // token, approle, kubernetes or jwt; "": token
	AuthMount, Role    string
	Secret             string // source of the secret for Auth
	Wrapped            bool
	IDToken            func(ctx context.Context) (string, error) // of the CI job
}

// serviceAccount is where Kubernetes mounts a pod's service account token.
const serviceAccount = "file:/var/run/secrets/kubernetes.io/serviceaccount/token"

// openVault opens vault:MOUNT/PREFIX. A mount with a slash in its path ends
// with two: vault:team/kv//mcp-login. The connection settings and the default
// token are those of the vault program.
func (o Opener) openVault(where string) (secrets.Store, error) {
	where, versioned, err := kvVersion(where)
	if err != nil {
		return nil, err
	}
	mount, prefix, found := strings.Cut(where, "//")
	if !found {
		mount, prefix, _ = strings.Cut(where, "/")
	}
	if mount == "" {
		return nil, optionf("--store vault:%s: use vault:MOUNT/PREFIX", where)
	}
	client, err := o.Vault.client()
	if err != nil {
		return nil, err
	}
	auth, err := o.vaultAuth()
	if err == nil && auth == nil {
		err = o.vaultToken(client)
	}
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // for display only
	s, err := vault.Open(vault.Config{
		Client: client, Mount: mount, Prefix: cmp.Or(prefix, "mcp-login"), Versioned: versioned,
		Auth: auth, Holder: fmt.Sprintf("%s, process %d", host, os.Getpid()),
	})
	if err != nil {
		return nil, &OptionError{err}
	}
	return s, nil
}

// client reads the environment as the vault program does, then the values of v.
func (v Vault) client() (*api.Client, error) {
	client, err := api.NewClient(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: vault: %w", secrets.ErrUnavailable, err)
	}
	if v.Address != "" {
		if err := client.SetAddress(v.Address); err != nil {
			return nil, &AddressError{err}
		}
	}
	if v.Namespace != "" {
		client.SetNamespace(v.Namespace)
	}
	return client, nil
}

// AddressError means that the address of Vault is not a URL.
type AddressError struct{ Err error }

func (e *AddressError) Error() string { return "configuration: vault-address: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *AddressError) Unwrap() error { return e.Err }

// kvVersion cuts off ?kv=2, which saves the request that asks Vault for the
// version of the mount.
func kvVersion(where string) (rest string, versioned bool, err error) {
	rest, query, found := strings.Cut(where, "?")
	if found && query != "kv=2" {
		return "", false, optionf("--store vault:%s: only ?kv=2 is supported, because KV version 1 has no check-and-set", where)
	}
	return rest, found, nil
}

// vaultToken sets the user's token: VAULT_TOKEN, which the client reads itself,
// or the token of "vault login" (~/.vault-token or the configured token
// helper).
func (o Opener) vaultToken(client *api.Client) error {
	if _, err := os.UserHomeDir(); client.Token() == "" && err == nil {
		helper, err := cliconfig.DefaultTokenHelper()
		if err != nil {
			return fmt.Errorf("%w: vault's token helper: %w", secrets.ErrUnavailable, err)
		}
		token, err := helper.Get()
		if err != nil {
			return fmt.Errorf("%w: vault's token helper: %w", secrets.ErrUnavailable, err)
		}
		client.SetToken(token)
	}
	o.Secrets.Loaded(client.Token())
	return nil
}

// vaultAuth returns the auth method for Vault; nil for a token.
func (o Opener) vaultAuth() (api.AuthMethod, error) {
	v := o.Vault
	switch v.Auth {
	case "", "token":
		return nil, nil
	case "approle":
		a := &vault.AppRole{Mount: v.AuthMount, RoleID: v.Role, Wrapped: v.Wrapped}
		if v.Secret != "" {
			a.SecretID = o.vaultSecret(v.Secret, "Vault secret ID")
		}
		return a, nil
	case "kubernetes":
		token := o.vaultSecret(cmp.Or(v.Secret, serviceAccount), "Vault service account")
		return &vault.JWT{Mount: cmp.Or(v.AuthMount, "kubernetes"), Role: v.Role, Token: token}, nil
	case "jwt":
		token := v.IDToken
		if v.Secret != "" {
			token = o.vaultSecret(v.Secret, "Vault ID token")
		}
		return &vault.JWT{Mount: v.AuthMount, Role: v.Role, Token: token}, nil
	}
	return nil, optionf("MCP_LOGIN_VAULT_AUTH=%s: use token, approle, kubernetes or jwt", v.Auth)
}

func (o Opener) vaultSecret(source, what string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) { return o.Secrets.Read(ctx, source, what) }
}

// KeepAlive renews the store's Vault token during a long-running command, until
// stop is called. It calls failed if the renewal ends early.
func KeepAlive(ctx context.Context, store secrets.Store, failed func(error)) (stop func()) {
	k, ok := store.(interface{ KeepAlive(context.Context) error })
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := k.KeepAlive(ctx); err != nil {
			failed(err)
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}
