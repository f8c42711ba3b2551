package access

import (
	"errors"
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestHalfLogout: the error says which credential is gone or stays, what the server was
// not asked, and how to complete the logout.
func TestHalfLogout(t *testing.T) {
	c := mcplogin.Credential{Profile: "a", Issuer: oauth.Server{Issuer: "https://auth.test"}}
	offline := errors.New("no network")
	getenv := func(string) string { return "" }
	o := Opener{Invocation: invocation.Invocation{Getenv: getenv}, Dirs: paths.Dirs{Getenv: getenv}}
	for _, tt := range []struct {
		failed     mcplogin.LogoutError
		code       int
		text, hint string
	}{
		{
			mcplogin.LogoutError{Revoke: offline}, exit.Failed,
			`the credential of "a" was removed, but its tokens were not revoked at the server: no network`,
			"to end the access now, revoke it in your account at auth.test; the access token remains valid for an unknown time",
		},
		{
			mcplogin.LogoutError{Delete: secrets.ErrUnavailable}, exit.Store,
			`the tokens of "a" were revoked at the server, but its credential was not removed: `, "then try again: mcp-login clear a",
		},
		{
			mcplogin.LogoutError{Delete: secrets.ErrUnavailable, Revoke: offline}, exit.Store,
			`"a" is still signed in: its credential was not removed (`, "then try again: mcp-login logout a",
		},
	} {
		err, ok := errors.AsType[*exit.Error](o.halfLogout(c, &tt.failed))
		if !ok || err.Code != tt.code || !strings.HasPrefix(err.Text, tt.text) || !strings.HasSuffix(err.Hint, tt.hint) {
			t.Errorf("%+v: %#v", tt.failed, err)
		}
	}
}
