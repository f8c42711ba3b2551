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

// TestVersionsShareAStore has this version and an earlier one take turns with
// the same credentials, in one Vault and in one folder. Every refresh rotates
// the refresh token, so that a version which loses it ends the login.
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
			now := tt.home(t)
			then := *now
			then.program = earlier
			t.Run("login by the earlier one", func(t *testing.T) { checkBothVersions(t, &then, now, "a") })
			t.Run("login by this one", func(t *testing.T) { checkBothVersions(t, now, &then, "b") })
			t.Run("sources", func(t *testing.T) { checkConfirmedSources(t, now, &then) })
		})
	}
	t.Run("fields", func(t *testing.T) { checkKeepsFields(t, v, vaultHome(t, v.addr, v.root)) })
}

// TestVaultVersion1 refuses a mount without check-and-set before anyone is asked
// to sign in. The command that it suggests is the way out: a credential that an
// earlier version kept there is read on.
func TestVaultVersion1(t *testing.T) {
	t.Parallel()
	earlier, err := provide("previous")
	if err != nil {
		t.Fatal(err)
	}
	v := startVault(t)
	recordTokens(v.root)
	v.write(t, "sys/mounts/kv1", map[string]any{"type": "kv", "options": map[string]any{"version": "1"}})
	now := vaultHome(t, v.addr, v.root)
	now.flags = []string{"--store", "vault:kv1/mcp-login"}
	then := *now
	then.program = earlier
	srv := &oauthtest.Server{}
	mcp := startAuthorizationServer(t, srv)
	then.want(0, "login", "a", mcp, "--flow", "device")
	token := then.token("a")

	for _, args := range [][]string{{"token", "a"}, {"status", "a"}, {"list"}, {"login", "b", mcp, "--flow", "device"}} {
		if r := now.want(7, args...); r.stdout != "" || !strings.Contains(r.stderr, "KV version 1") || !strings.Contains(r.stderr, "vault kv enable-versioning kv1\n") {
			t.Errorf("%q: stdout %q, stderr %q", args, r.stdout, r.stderr)
		}
	}
	if n := srv.Count(oauthtest.DeviceAuth); n != 1 {
		t.Errorf("%d sign-ins were begun, want that of the earlier version alone", n)
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
	for r := now.run("token", "a"); r.code == 3; r = now.run("token", "a") {
		time.Sleep(100 * time.Millisecond) // Vault upgrades in the background
	}
	if now.token("a") != token {
		t.Error("after the upgrade there is another token")
	}
	now.want(0, "refresh", "a")
}

// authorizationServer is a fake that approves at once and rotates.
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

// status is what both versions tell of a credential.
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

// takeTurns logs in by one version, and has both refresh and read in turns.
func checkBothVersions(t *testing.T, first, second *home, name string) {
	srv := &oauthtest.Server{}
	first.want(0, "login", name, startAuthorizationServer(t, srv), "--flow", "device")
	want := first.status(name)
	for _, h := range []*home{second, first, second} {
		h.want(0, "refresh", name)
		token := h.token(name)
		for _, reader := range []*home{first, second} {
			if reader.token(name) != token {
				t.Error("the two read different tokens")
			}
			if got := reader.status(name); !reflect.DeepEqual(got, want) {
				t.Errorf("status %+v, want %+v", got, want)
			}
		}
	}
	if n := srv.Grants(oauth.GrantRefreshToken); n != 3 {
		t.Errorf("%d refreshes, want 3", n)
	}
	second.want(0, "login", name, "--flow", "device", "--scope", "mcp:read") // the registration is still known
	if n := srv.Count(oauthtest.Register); n != 1 {
		t.Errorf("%d registrations, want 1", n)
	}
	first.want(0, "logout", name)
}

// confirmedAfter: what was typed here still counts after the earlier version,
// which knows nothing of that, has written the record.
func checkConfirmedSources(t *testing.T, now, then *home) {
	srv := &oauthtest.Server{Tokens: oauthtest.Tokens{NoRefresh: true}}
	srv.Trust.Assertion = func(string) error { return nil }
	mcp := startAuthorizationServer(t, srv)
	named, old := *now, *then
	named.env = append(slices.Clone(now.env), "JOB_JWT=job.jwt.x")
	old.env = append(slices.Clone(named.env), "MCP_LOGIN_ASSERTION_FROM=env:JOB_JWT") // it wants that for Vault
	named.want(0, "login", "c", mcp, "--flow", "jwt-bearer", "--assertion-from", "env:JOB_JWT")
	old.want(0, "refresh", "c")
	named.want(0, "refresh", "c")
	old.want(0, "refresh", "c")
	if n := srv.Grants(oauth.GrantJWTBearer); n != 4 {
		t.Errorf("%d assertions were presented, want 4", n)
	}
	old.want(0, "login", "e", mcp, "--flow", "jwt-bearer", "--assertion-from", "env:JOB_JWT") // notes nothing
	named.want(4, "refresh", "e")
	named.env = append(named.env, "MCP_LOGIN_EXPECT_ISSUER="+srv.URL, "MCP_LOGIN_ASSERTION_FROM=env:JOB_JWT")
	named.want(0, "refresh", "e")
}

// keepsFields: this version is the older one some day. It keeps what a newer one
// wrote.
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
