//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets/vault"
)

// trustJobs allows jobs with this subject to log in to Vault and to use the team's
// records.
func (v *vaultServer) trustJobs(t *testing.T, tokens *idTokenServer, subject string) {
	t.Helper()
	v.write(t, "sys/auth/jwt", map[string]any{"type": "jwt"})
	v.write(t, "auth/jwt/config", map[string]any{
		"jwt_validation_pubkeys": []string{tokens.publicKey(t)}, "bound_issuer": tokens.url,
	})
	v.write(t, "sys/policies/acl/mcp-login", map[string]any{"policy": vault.Policy("secret", "mcp-login")})
	v.write(t, "auth/jwt/role/mcp-login", map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{"vault"}, "bound_subject": subject,
		"token_policies": []string{"mcp-login"}, "token_no_default_policy": true, "token_ttl": "5m",
	})
}

func TestActionUsesTheTeamsCredentialInVault(t *testing.T) {
	v, demo := startVault(t), startDemo(t)
	tokens := startIDTokenServer(t, "repo:example/example:ref:refs/heads/main")
	v.trustJobs(t, tokens, tokens.subject)
	user := newHome(t)
	user.env = append(user.env, "VAULT_ADDR="+v.addr, "VAULT_TOKEN="+v.root, "MCP_LOGIN_STORE=vault:secret/mcp-login")
	user.want(0, "login", "demo", demo.MCP())
	before := user.token("demo")
	recordTokens(before)

	args := append(tokens.env(), "--var", "VAULT_ADDR="+v.addr)
	log, ok := newRepository(t).act("examples/github-actions/workflows/vault.yml", args...)
	if !ok || !strings.Contains(log, "MCP_DEMO_AUTHORIZATION=***") || !strings.Contains(log, `"name":"whoami"`) {
		t.Fatalf("the workflow ended with %t:\n%s", ok, log)
	}
	// The team's credential does not belong to the job.
	if after := user.token("demo"); after != before || statusOf(t, demo.MCP(), after) != http.StatusOK {
		t.Error("the job changed or ended the team's token")
	}
}

func TestActionOfAnotherRepositoryIsRejectedByVault(t *testing.T) {
	v := startVault(t)
	tokens := startIDTokenServer(t, "repo:stranger/fork:ref:refs/heads/main")
	v.trustJobs(t, tokens, "repo:example/example:ref:refs/heads/main")
	args := append(tokens.env(), "--var", "VAULT_ADDR="+v.addr)
	log, ok := newRepository(t).act("examples/github-actions/workflows/vault.yml", args...)
	if ok || !strings.Contains(log, "mcp-login: ") || strings.Contains(log, "set-env:: MCP_DEMO") {
		t.Errorf("the workflow ended with %t:\n%s", ok, log)
	}
}
