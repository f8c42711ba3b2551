//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestJobPresentsItsIDTokenToTheNamedIssuerAlone renews a CI sign-in from a shared Vault on a
// new host: another user with write access to the record cannot choose who gets the
// job's ID token.
func TestJobPresentsItsIDTokenToTheNamedIssuerAlone(t *testing.T) {
	t.Parallel()
	v, signer := startVault(t), newIDTokenSigner(t)
	recordTokens(v.root)
	good := &oauthtest.Server{Tokens: oauthtest.Tokens{NoRefresh: true}}
	evil := &oauthtest.Server{Tokens: oauthtest.Tokens{NoRefresh: true}}
	for _, srv := range []*oauthtest.Server{good, evil} {
		srv.Trust.Assertion = func(string) error { return nil }
	}
	mcp := startAuthorizationServer(t, good)
	startAuthorizationServer(t, evil)
	id := signer.sign(t, map[string]any{
		"iss": signer.url, "aud": "api://team", "sub": "job", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	recordTokens(id)
	job := func() *home {
		h := vaultHome(t, v.addr, v.root)
		h.env = append(h.env, "MCP_LOGIN_ID_TOKEN="+id)
		return h
	}
	first := job()
	first.want(0, "login", "team", mcp, "--flow", "ci", "--audience", "api://team")
	first.want(0, "refresh", "team")

	fresh := job()
	r := fresh.want(4, "refresh", "team")
	if !strings.Contains(r.stderr, "MCP_LOGIN_EXPECT_ISSUER="+good.URL+" MCP_LOGIN_EXPECT_AUDIENCE=api://team") {
		t.Errorf("the hint does not show how to confirm: %s", r.stderr)
	}
	fresh.want(4, "refresh", "team", "--expect-issuer", good.URL)
	fresh.want(0, "refresh", "team", "--expect-issuer", good.URL, "--expect-audience", "api://team")
	fresh.env = append(fresh.env, "MCP_LOGIN_EXPECT_ISSUER="+good.URL, "MCP_LOGIN_EXPECT_AUDIENCE=api://team")
	fresh.want(0, "refresh", "team")
	fresh.token("team")

	store := v.store(t, vault.Config{})
	for what, change := range map[string]func(record, server map[string]any){
		"the endpoint": func(_, server map[string]any) { server["token_endpoint"] = evil.URL + "/token" },
		"the endpoint and issuer": func(_, server map[string]any) {
			server["token_endpoint"], server["issuer"] = evil.URL+"/token", evil.URL
		},
		"all but the resource": func(record, server map[string]any) {
			record["server"], server["issuer"], server["token_endpoint"] = evil.URL+"/mcp", evil.URL, evil.URL+"/token"
		},
	} {
		data, _, err := store.Get(t.Context(), "team")
		if err != nil {
			t.Fatal(err)
		}
		var record map[string]any
		if err := json.Unmarshal(data, &record); err != nil {
			t.Fatal(err)
		}
		change(record, record["authorization_server"].(map[string]any))
		changed, err := json.Marshal(record)
		if err == nil {
			_, err = store.Put(t.Context(), "team", changed, secrets.Any)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []*home{first, fresh, job()} {
			if r := h.run("refresh", "team"); r.code != 4 && r.code != 5 || r.stdout != "" {
				t.Errorf("with another %s: exit code %d\n%s", what, r.code, r.stderr)
			}
		}
		if _, err := store.Put(t.Context(), "team", data, secrets.Any); err != nil {
			t.Fatal(err)
		}
	}
	if n := evil.Count(oauthtest.Token); n != 0 {
		t.Errorf("%d requests with the job's ID token went to another server", n)
	}
	first.want(0, "refresh", "team")
}
