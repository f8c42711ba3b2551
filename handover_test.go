package mcplogin_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestHandOver: the exported copy has what is needed to use the token, but nothing
// that can refresh it.
func TestHandOver(t *testing.T) {
	credential := mcplogin.Credential{
		Version: 1, Profile: "p", Server: server,
		Token:          oauth.Token{Access: "access-1", Refresh: "refresh-1", Expiry: time.Now().Add(time.Hour).UTC().Round(0)},
		RefreshBegunAt: time.Now(),
		App: oauth.App{
			ID: "client-1", AuthMethod: oauth.AuthNone, GrantTypes: []string{"x"},
			RegistrationURI: "https://as.test/clients/1", RegistrationToken: "registration-1",
		},
	}
	public := credential.HandOver()
	if public.Token.Access != "access-1" || public.App.ID != "client-1" || !public.Valid(time.Minute) {
		t.Errorf("the copy cannot be used: %+v", public)
	}
	credential.App.Secret = "secret-1"
	confidential := credential.HandOver()
	if confidential.App.ID != "" {
		t.Error("the copy has a client ID without its secret, which is useless")
	}
	for _, c := range []mcplogin.Credential{public, confidential} {
		record, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"refresh-1", "registration-1", "secret-1"} {
			if strings.Contains(string(record), secret) {
				t.Errorf("the copy contains %s", secret)
			}
		}
		if parsed, err := mcplogin.ParseCredential(record); err != nil || !reflect.DeepEqual(parsed, c) {
			t.Errorf("ParseCredential = %+v, %v, want %+v", parsed, err, c)
		}
	}
	ahead := credential // issued by a clock that is ahead of this host's
	ahead.LoggedInAt = time.Now().Add(10 * time.Minute)
	if copied := ahead.HandOver(); ahead.Valid(0) || !copied.Valid(0) {
		t.Error("a token from the future must be refreshed if possible, and used otherwise")
	}
	if credential.Token.Refresh != "refresh-1" {
		t.Error("HandOver changed the credential itself")
	}
}

func TestParseCredential(t *testing.T) {
	for record, want := range map[string]error{
		`{"version":99}`:            mcplogin.ErrNewerRecord,
		`{"version":0}`:             secrets.ErrUndecryptable,
		`at-1`:                      secrets.ErrUndecryptable,
		`{"version":1,"profile":7}`: secrets.ErrUndecryptable,
	} {
		if _, err := mcplogin.ParseCredential([]byte(record)); !errors.Is(err, want) {
			t.Errorf("ParseCredential(%s) = %v, want %v", record, err, want)
		}
	}
}
