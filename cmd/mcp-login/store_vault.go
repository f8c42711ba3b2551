package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/cliconfig"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// serviceAccount is where Kubernetes puts a pod's own token.
const serviceAccount = "file:/var/run/secrets/kubernetes.io/serviceaccount/token"

// openVault opens vault:MOUNT/PREFIX. A mount with a slash in its path ends
// with two: vault:team/kv//mcp-login. How to reach Vault, and by default as
// whom, is read where the vault program reads it.
func (e *env) openVault(o *common, where string) (secrets.Store, error) {
	where, versioned, err := kvVersion(where)
	if err != nil {
		return nil, err
	}
	mount, prefix, found := strings.Cut(where, "//")
	if !found {
		mount, prefix, _ = strings.Cut(where, "/")
	}
	if mount == "" {
		return nil, usagef("--store vault:%s: give vault:MOUNT/PREFIX", where)
	}
	client, err := e.vaultClient()
	if err != nil {
		return nil, err
	}
	auth, err := e.vaultAuth(o)
	if err == nil && auth == nil {
		err = e.vaultToken(client)
	}
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // for people alone
	s, err := vault.Open(vault.Config{
		Client: client, Mount: mount, Prefix: cmp.Or(prefix, "mcp-login"), Versioned: versioned,
		Auth: auth, Holder: fmt.Sprintf("%s, process %d", host, os.Getpid()),
	})
	if err != nil {
		return nil, usageError{err}
	}
	return s, nil
}

// vaultClient reads the environment as the vault program does, then the
// configuration.
func (e *env) vaultClient() (*api.Client, error) {
	client, err := api.NewClient(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: vault: %w", secrets.ErrUnavailable, err)
	}
	if address := e.configured("vault-address"); address != "" && e.getenv("VAULT_ADDR") == "" && e.getenv("VAULT_AGENT_ADDR") == "" {
		if err := client.SetAddress(address); err != nil {
			return nil, configError("vault-address: %v", err)
		}
	}
	if namespace := e.configured("vault-namespace"); namespace != "" && e.getenv("VAULT_NAMESPACE") == "" {
		client.SetNamespace(namespace)
	}
	return client, nil
}

// kvVersion cuts off ?kv=2, which saves the request that asks Vault for the
// version of the mount.
func kvVersion(where string) (rest string, versioned bool, err error) {
	rest, query, found := strings.Cut(where, "?")
	if found && query != "kv=2" {
		return "", false, usagef("--store vault:%s: only ?kv=2 may follow, since KV version 1 has no check-and-set", where)
	}
	return rest, found, nil
}

// vaultToken gives the client the token of the person: VAULT_TOKEN, which the
// client has read itself, or what "vault login" left (~/.vault-token or the
// configured token helper).
func (e *env) vaultToken(client *api.Client) error {
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
	e.hidden.hide(client.Token())
	return nil
}

// vaultAuth returns how MCP_LOGIN_VAULT_AUTH logs in, nil for by a token.
func (e *env) vaultAuth(o *common) (api.AuthMethod, error) {
	method := e.setting("vault-auth")
	mount, role := e.setting("vault-auth-mount"), e.setting("vault-role")
	source := e.setting("vault-secret")
	switch method {
	case "", "token":
		return nil, nil
	case "approle":
		a := &vault.AppRole{Mount: mount, RoleID: role, Wrapped: slices.Contains([]string{"1", "true"}, e.setting("vault-wrapped"))}
		if source != "" {
			a.SecretID = e.vaultSecret(source, "secret id for vault")
		}
		return a, nil
	case "kubernetes":
		source = cmp.Or(source, serviceAccount)
		return &vault.JWT{Mount: cmp.Or(mount, "kubernetes"), Role: role, Token: e.vaultSecret(source, "service account for vault")}, nil
	case "jwt":
		token := e.vaultSecret(source, "id token for vault")
		if source == "" {
			token = e.vaultIDToken(o)
		}
		return &vault.JWT{Mount: mount, Role: role, Token: token}, nil
	}
	return nil, usagef("MCP_LOGIN_VAULT_AUTH=%s: give token, approle, kubernetes or jwt", method)
}

func (e *env) vaultSecret(source, what string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) { return e.secret(ctx, source, what) }
}

// vaultIDToken asks the CI for its token, by which the job logs in to Vault.
func (e *env) vaultIDToken(o *common) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return e.idToken(ctx, o, e.setting("vault-audience"))
	}
}

// keepAlive renews the token for the store while a command runs for long, until
// stop is called.
func (e *env) keepAlive(ctx context.Context, store secrets.Store) (stop func()) {
	k, ok := store.(interface{ KeepAlive(context.Context) error })
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := k.KeepAlive(ctx); err != nil {
			e.log.Info().Err(err).Msg("the token for the store is not renewed")
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}
