package vault_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestDocumentedPolicy: the documented policy is the one that the tests use.
func TestDocumentedPolicy(t *testing.T) {
	for _, path := range []string{"../../docs/vault.md", "../../README.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := vault.Policy("secret", "mcp-login"); !strings.Contains(string(text), want) {
			t.Errorf("%s lacks the policy\n%s", path, want)
		}
	}
}
