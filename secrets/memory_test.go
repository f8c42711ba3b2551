package secrets_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/secretstest"
)

func TestMemory(t *testing.T) {
	var m secrets.Memory
	secretstest.TestStore(t, func(*testing.T) secrets.Store { return &m })
}
