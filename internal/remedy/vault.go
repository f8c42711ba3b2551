package remedy

import (
	"errors"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// vaultHint is the hint where Vault cannot be used; "" for all other errors.
func vaultHint(err error) string {
	switch {
	case errors.Is(err, vault.ErrSealed):
		return "an operator of Vault runs: vault operator unseal"
	case errors.Is(err, vault.ErrDenied):
		return "ask the administrator of Vault for that policy; your token: vault token lookup"
	case errors.Is(err, vault.ErrNoToken):
		return "vault login\nor set MCP_LOGIN_VAULT_AUTH to approle, kubernetes or jwt"
	case errors.Is(err, vault.ErrUnreachable):
		return "check VAULT_ADDR, and that Vault runs: vault status"
	}
	return ""
}

// vaultCode is the exit code of an error that has such a hint.
func vaultCode(err error) int {
	if errors.Is(err, vault.ErrUnreachable) {
		return exit.Temporary
	}
	return exit.Store
}
