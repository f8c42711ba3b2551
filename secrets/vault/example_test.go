package vault_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets/vault"
)

// A CI job signs in to Vault with a token from the CI system. The client reads
// VAULT_ADDR, VAULT_CACERT and similar variables.
func ExampleOpen() {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	idToken := func(context.Context) (string, error) {
		text, err := os.ReadFile("/run/secrets/id-token")
		return strings.TrimSpace(string(text)), err
	}
	store, err := vault.Open(vault.Config{
		Client: client,
		Mount:  "secret",
		Prefix: "mcp-login",
		Auth:   &vault.JWT{Role: "ci", Token: idToken},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%T\n", store) // no request has been sent yet
	// Output: *vault.Store
}

func ExamplePolicy() {
	fmt.Print(vault.Policy("secret", "mcp-login"))
	// Output:
	// path "secret/data/mcp-login/*" { capabilities = ["create", "read", "update"] }
	// path "secret/metadata/mcp-login/*" { capabilities = ["create", "read", "update", "delete", "list"] }
}
