//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestVaultCommands uses one credential with all commands, and with every way to
// authenticate to Vault.
func TestVaultCommands(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	role, secretID := v.appRole(t, "1h")
	ci := newIDTokenSigner(t)
	v.write(t, "sys/auth/ci", map[string]any{"type": "jwt"})
	v.write(t, "auth/ci/config", map[string]any{"jwks_url": ci.url + "/jwks"})
	v.write(t, "auth/ci/role/job", map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": "vault", "token_policies": "mcp-login",
	})
	o := startOIDC(t, settings{"interval": 1})

	policy := v.token(t, vault.Policy("secret", "mcp-login"))
	user := vaultHome(t, v.addr, policy)
	recordTokens(v.root, policy)
	user.login(o, "box")
	token := user.token("box")
	if !o.active(token) {
		t.Error("the token is not active")
	}
	if r := user.want(0, "list"); !strings.Contains(r.stdout, "box") {
		t.Errorf("list: %q", r.stdout)
	}

	id := ci.sign(t, map[string]any{"iss": ci.url, "aud": "vault", "sub": "job", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()})
	secret, wrapped := secretID(""), secretID("1m")
	recordTokens(id, secret, wrapped)
	for name, env := range map[string][]string{
		"approle":         {"MCP_LOGIN_VAULT_AUTH=approle", "MCP_LOGIN_VAULT_ROLE=" + role, "MCP_LOGIN_VAULT_SECRET=env:ID", "ID=" + secret},
		"approle wrapped": {"MCP_LOGIN_VAULT_AUTH=approle", "MCP_LOGIN_VAULT_ROLE=" + role, "MCP_LOGIN_VAULT_SECRET=env:ID", "ID=" + wrapped, "MCP_LOGIN_VAULT_WRAPPED=1"},
		"jwt":             {"MCP_LOGIN_VAULT_AUTH=jwt", "MCP_LOGIN_VAULT_AUTH_MOUNT=ci", "MCP_LOGIN_VAULT_ROLE=job", "MCP_LOGIN_ID_TOKEN=" + id, "MCP_LOGIN_VAULT_AUDIENCE=vault"},
	} {
		h := vaultHome(t, v.addr, "")
		h.env = append(h.env, env...)
		if h.token("box") != token {
			t.Errorf("%s: a different token", name)
		}
	}

	fromFile := vaultHome(t, v.addr, "")
	if err := os.WriteFile(filepath.Join(fromFile.dir, ".vault-token"), []byte(policy+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if fromFile.token("box") != token {
		t.Error("with ~/.vault-token: a different token")
	}

	user.want(0, "logout", "box")
	user.want(4, "token", "box")
	if o.active(token) {
		t.Error("after the sign-out, the token is still active")
	}
}

// TestVaultExitCodes: the exit code shows scripts whether to try again.
func TestVaultExitCodes(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	recordTokens(v.root)
	at := func(addr, token, store string) *home {
		h := vaultHome(t, addr, token)
		h.env = append(h.env, "VAULT_MAX_RETRIES=0")
		h.flags = []string{"--store", store}
		return h
	}
	const usual = "vault:secret/mcp-login"
	for _, tt := range []struct {
		name string
		home *home
		code int
		say  string
	}{
		{"no mount", at(v.addr, v.root, "vault:"), 2, "vault:MOUNT/PREFIX"},
		{"a path that is none", at(v.addr, v.root, "vault:secret/../x"), 2, "not the path of a folder"},
		{"no such version", at(v.addr, v.root, usual+"?kv=1"), 2, "no check-and-set"},
		{"unreachable", at("http://127.0.0.1:1", v.root, usual), 3, "127.0.0.1:1"},
		{"no token", at(v.addr, "", usual), 7, "VAULT_TOKEN"},
		{"wrong token", at(v.addr, "hvs.wrong", usual), 7, "is invalid or has expired"},
		{"wrong mount", at(v.addr, v.root, "vault:nowhere/x"), 7, "nowhere/"},
		{"nothing there", at(v.addr, v.root, usual), 4, "mcp-login login box"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := tt.home.want(tt.code, "token", "box"); !strings.Contains(r.stderr, tt.say) {
				t.Errorf("the error lacks %q:\n%s", tt.say, r.stderr)
			}
		})
	}

	if err := v.client(t, v.root).Sys().SealWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := at(v.addr, v.root, usual).want(7, "token", "box"); !strings.Contains(r.stderr, "sealed") || !strings.Contains(r.stderr, "hint: an operator of Vault runs: vault operator unseal") {
		t.Errorf("the error does not say sealed:\n%s", r.stderr)
	}
}

// TestVaultTokenOutlivesProxy: a command that runs for a long time renews its Vault
// token, even if it reads nothing.
func TestVaultTokenOutlivesProxy(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	o := startOIDC(t, settings{"interval": 1})
	vaultHome(t, v.addr, v.root).login(o, "box")
	token := v.write(t, "auth/token/create", map[string]any{"period": "12s"}).Auth.ClientToken
	recordTokens(v.root, token)

	cmd := vaultHome(t, v.addr, token).command(t.Context(), "proxy", "box")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the token of the proxy is renewed", func() bool { return v.renewed(token) })
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("proxy: %v", err)
	}
}
