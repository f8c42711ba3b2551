package mcplogin_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

func TestRejectedLoginIsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		before, err := w.open(t).Credential(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wrongAccount := errors.New("approved with another account")
		var rejected mcplogin.Credential
		s := w.open(t, func(c *sessionConfig) {
			c.Accept = func(c mcplogin.Credential) error { rejected = c; return wrongAccount }
		})
		if _, err := s.Login(t.Context()); !errors.Is(err, wrongAccount) {
			t.Errorf("Login = %v, want %v", err, wrongAccount)
		}
		after, err := w.open(t).Credential(t.Context())
		if err != nil || after.Token != before.Token || !w.works(t, after.Token) {
			t.Errorf("the stored token was changed or is no longer valid: %v", err)
		}
		if rejected.Token == before.Token || w.works(t, rejected.Token) || w.srv.Count(oauthtest.Revoke) == 0 {
			t.Error("the rejected token is still valid")
		}
	})
}
