package signin

import (
	"bytes"
	"encoding/json"
	"errors"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// DemandingFlags are the flags that force a new sign-in: they name secrets that may have
// changed, or additional requirements.
func DemandingFlags() []string {
	return []string{"add-scope", "accept-new-issuer", "client-name", "client-auth", "client-secret-from", "initial-access-token-from", "client-key-from", "client-key-id", "client-key-audience"}
}

// Repeats reports whether the sign-in would repeat the one that a stored credential is
// from: the same client, and the same options or none.
func (s SignIn) Repeats(c mcplogin.Credential) (bool, error) {
	for _, id := range []string{s.Client.ID, s.Client.MetadataURL} {
		if id != "" && id != c.App.ID {
			return false, nil
		}
	}
	asked := s.recorded
	if asked.IsZero() {
		return true, nil
	}
	asked.DPoP = asked.DPoP || c.Login.DPoP // the server may have asked for it
	now, err1 := json.Marshal(asked)
	stored, err2 := json.Marshal(c.Login)
	return bytes.Equal(now, stored), errors.Join(err1, err2)
}

// Elsewhere returns the correct URL of the MCP server after a failed sign-in, if the
// server named one on the same origin; "" if it did not.
func Elsewhere(err error) string {
	if resource, ok := errors.AsType[*oauth.ResourceError](err); ok && resource.Below() {
		return resource.Resource
	}
	if not, ok := errors.AsType[*oauth.NotServerError](err); ok {
		return not.Try
	}
	return ""
}
