//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestVersionsShareAStore uses the same credentials with this version and an earlier
// one in turns, in Vault and in a folder. Every refresh rotates the refresh token, so a
// version that lost it would end the sign-in.
func TestVersionsShareAStore(t *testing.T) {
	t.Parallel()
	earlier, err := provide("previous")
	if err != nil {
		t.Fatal(err)
	}
	v := startVault(t)
	recordTokens(v.root)
	for _, tt := range []struct {
		name string
		home func(t *testing.T) *home
	}{
		{"vault", func(t *testing.T) *home { return vaultHome(t, v.addr, v.root) }},
		{"folder", func(t *testing.T) *home { return newHome(t) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			current := tt.home(t)
			previous := *current
			previous.program = earlier
			t.Run("login by the earlier one", func(t *testing.T) { checkBothVersions(t, &previous, current, "a") })
			t.Run("login by this one", func(t *testing.T) { checkBothVersions(t, current, &previous, "b") })
			t.Run("sources", func(t *testing.T) { checkConfirmedSources(t, current, &previous) })
		})
	}
	t.Run("fields", func(t *testing.T) { checkKeepsFields(t, v, vaultHome(t, v.addr, v.root)) })
}

// TestVaultVersion1 rejects a mount without check-and-set before the user has to sign
// in. The suggested command fixes that: a credential that an earlier version stored
// there can still be read.
func TestVaultVersion1(t *testing.T) {
	t.Parallel()
	earlier, err := provide("previous")
	if err != nil {
		t.Fatal(err)
	}
	v := startVault(t)
	recordTokens(v.root)
	v.write(t, "sys/mounts/kv1", map[string]any{"type": "kv", "options": map[string]any{"version": "1"}})
	current := vaultHome(t, v.addr, v.root)
	current.flags = []string{"--store", "vault:kv1/mcp-login"}
	previous := *current
	previous.program = earlier
	srv := &oauthtest.Server{}
	mcp := startAuthorizationServer(t, srv)
	previous.want(0, "login", "a", mcp, "--flow", "device")
	token := previous.token("a")

	for _, args := range [][]string{{"token", "a"}, {"status", "a"}, {"list"}, {"login", "b", mcp, "--flow", "device"}} {
		if r := current.want(7, args...); r.stdout != "" || !strings.Contains(r.stderr, "KV version 1") || !strings.Contains(r.stderr, "vault kv enable-versioning kv1\n") {
			t.Errorf("%q: stdout %q, stderr %q", args, r.stdout, r.stderr)
		}
	}
	if n := srv.Count(oauthtest.DeviceAuth); n != 1 {
		t.Errorf("%d sign-ins were started, want only that of the earlier version", n)
	}

	binary, err := provide("vault")
	if err != nil {
		t.Fatal(err)
	}
	upgrade := exec.CommandContext(t.Context(), binary, "kv", "enable-versioning", "kv1")
	upgrade.Env = append(os.Environ(), "VAULT_ADDR="+v.addr, "VAULT_TOKEN="+v.root)
	if out, err := upgrade.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for r := current.run("token", "a"); r.code == 3; r = current.run("token", "a") {
		time.Sleep(100 * time.Millisecond) // Vault upgrades in the background
	}
	if current.token("a") != token {
		t.Error("the token changed with the upgrade")
	}
	current.want(0, "refresh", "a")
}

// startAuthorizationServer starts a fake server that approves at once and rotates
// refresh tokens.
func startAuthorizationServer(t *testing.T, srv *oauthtest.Server) (mcp string) {
	t.Helper()
	srv.Device = oauthtest.Device{Interval: time.Second, AutoApprove: 1}
	http := httptest.NewServer(srv)
	t.Cleanup(func() {
		recordTokens(srv.Issued()...)
		http.Close()
	})
	srv.URL = http.URL
	return http.URL + "/mcp"
}

// status is the part of a credential's status that both versions print.
type status struct {
	Server, Resource, Issuer, Flow string
	Client                         string `json:"client_id"`
	Scopes                         []string
	Refreshable                    bool
	LoggedIn                       time.Time `json:"logged_in_at"`
}

func (h *home) status(name string) (s status) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.want(0, "status", name, "--json").stdout), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// checkBothVersions signs in with one version, then refreshes and reads with both in
// turns.
func checkBothVersions(t *testing.T, first, second *home, name string) {
	srv := &oauthtest.Server{}
	first.want(0, "login", name, startAuthorizationServer(t, srv), "--flow", "device")
	want := first.status(name)
	for _, h := range []*home{second, first, second} {
		h.want(0, "refresh", name)
		token := h.token(name)
		for _, reader := range []*home{first, second} {
			if reader.token(name) != token {
				t.Error("the versions read different tokens")
			}
			if got := reader.status(name); !reflect.DeepEqual(got, want) {
				t.Errorf("status %+v, want %+v", got, want)
			}
		}
	}
	if n := srv.Grants(oauth.GrantRefreshToken); n != 3 {
		t.Errorf("%d refreshes, want 3", n)
	}
	second.want(0, "login", name, "--flow", "device", "--scope", "mcp:read") // the stored registration is reused
	if n := srv.Count(oauthtest.Register); n != 1 {
		t.Errorf("%d registrations, want 1", n)
	}
	first.want(0, "logout", name)
}

// checkConfirmedSources: a source that the user entered here is still accepted after
// the earlier version, which does not support that, has written the record.
func checkConfirmedSources(t *testing.T, current, previous *home) {
	srv := &oauthtest.Server{Tokens: oauthtest.Tokens{NoRefresh: true}}
	srv.Trust.Assertion = func(string) error { return nil }
	mcp := startAuthorizationServer(t, srv)
	named, old := *current, *previous
	named.env = append(slices.Clone(current.env), "JOB_JWT=job.jwt.x")
	old.env = append(slices.Clone(named.env), "MCP_LOGIN_ASSERTION_FROM=env:JOB_JWT") // the earlier version needs it with Vault
	named.want(0, "login", "c", mcp, "--flow", "jwt-bearer", "--assertion-from", "env:JOB_JWT")
	old.want(0, "refresh", "c")
	named.want(0, "refresh", "c")
	old.want(0, "refresh", "c")
	if n := srv.Grants(oauth.GrantJWTBearer); n != 4 {
		t.Errorf("%d assertions were presented, want 4", n)
	}
	old.want(0, "login", "e", mcp, "--flow", "jwt-bearer", "--assertion-from", "env:JOB_JWT") // does not record the source
	named.want(4, "refresh", "e")
	named.env = append(named.env, "MCP_LOGIN_EXPECT_ISSUER="+srv.URL, "MCP_LOGIN_ASSERTION_FROM=env:JOB_JWT")
	named.want(0, "refresh", "e")
}

// checkKeepsFields: a record with fields of a newer version keeps them.
func checkKeepsFields(t *testing.T, v *vaultServer, h *home) {
	h.want(0, "login", "d", startAuthorizationServer(t, &oauthtest.Server{}), "--flow", "device")
	store := v.store(t, vault.Config{})
	read := func() (record map[string]any) {
		data, _, err := store.Get(t.Context(), "d")
		if err == nil {
			err = json.Unmarshal(data, &record)
		}
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	record := read()
	record["newer"] = "kept"
	record["token"].(map[string]any)["newer"] = "kept"
	data, err := json.Marshal(record)
	if err == nil {
		_, err = store.Put(t.Context(), "d", data, secrets.Any)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.want(0, "refresh", "d")
	if got := read(); got["newer"] != "kept" || got["token"].(map[string]any)["newer"] != "kept" {
		t.Error("a refresh lost what a newer version wrote")
	}
}
