//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/secretstest"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestVaultStore runs the contract of all stores under the least policy.
func TestVaultStore(t *testing.T) {
	v := startVault(t)
	for _, tt := range []struct {
		mount   string
		version int
	}{{"secret", 2}, {"kv1", 1}} {
		t.Run(tt.mount, func(t *testing.T) {
			t.Parallel()
			token := v.token(t, vault.Policy(tt.mount, "team/mcp-login", tt.version))
			secretstest.TestStore(t, func(t *testing.T) secrets.Store {
				return v.store(t, vault.Config{
					Client: v.client(t, token), Mount: tt.mount, Prefix: "team/mcp-login",
					Lease: 2 * time.Second,
				})
			})
		})
	}
}
