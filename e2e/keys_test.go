//go:build e2e

package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

// These tests check the signatures of package oauth against a certified server, because
// the fake server of this project could have the same bug as the client.

// serverOf reads the metadata of a server with the program's client.
func serverOf(t *testing.T, o *oidc) (*http.Client, oauth.Server) {
	t.Helper()
	hc := oauth.Guard{Server: o.mcp()}.Client()
	t.Cleanup(hc.CloseIdleConnections)
	s, err := oauth.FetchServer(t.Context(), hc, o.url)
	if err != nil {
		t.Fatal(err)
	}
	return hc, s
}

func keyFrom(t *testing.T, private crypto.Signer) *oauth.Key {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := oauth.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	key.ID = "k1"
	return key
}

func signers(t *testing.T) []crypto.Signer {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return []crypto.Signer{ec, rs, ed}
}

func TestPrivateKeyJWT(t *testing.T) {
	o := startOIDC(t, settings{})
	hc, s := serverOf(t, o)
	for _, private := range signers(t) {
		key := keyFrom(t, private)
		t.Run(key.Alg(), func(t *testing.T) {
			jwks, err := key.PublicSet()
			if err != nil {
				t.Fatal(err)
			}
			app, err := oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{
				GrantTypes: []string{oauth.GrantClientCredentials}, ResponseTypes: []string{},
				TokenAuthMethod: oauth.AuthPrivateKeyJWT, TokenAuthAlg: key.Alg(), JWKS: jwks,
			}, "")
			if err != nil {
				t.Fatal(err)
			}
			app.Key = key
			c := &oauth.Client{HTTP: hc, Server: s, App: app}
			for range 2 { // the server rejects an assertion that it has seen
				token, err := c.Token(t.Context(), oauth.ClientCredentialsGrant(o.mcp(), nil))
				if err != nil || !o.active(token.Access) {
					t.Errorf("client_credentials: %v, or the token is not active", err)
				}
			}
		})
	}
}

func TestClientSecrets(t *testing.T) {
	o := startOIDC(t, settings{})
	hc, s := serverOf(t, o)
	for _, method := range []string{oauth.AuthClientSecretBasic, oauth.AuthClientSecretPost} {
		app, err := oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{
			GrantTypes: []string{oauth.GrantClientCredentials}, ResponseTypes: []string{}, TokenAuthMethod: method,
		}, "")
		if err != nil || app.AuthMethod != method || app.Secret == "" {
			t.Fatalf("register for %s = %v, %v", method, app, err)
		}
		c := &oauth.Client{HTTP: hc, Server: s, App: app}
		if _, err := c.Token(t.Context(), oauth.ClientCredentialsGrant(o.mcp(), nil)); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		c.App.Secret += "x"
		if _, err := c.Token(t.Context(), oauth.ClientCredentialsGrant(o.mcp(), nil)); !oauth.IsCode(err, oauth.CodeInvalidClient) {
			t.Errorf("%s with a wrong secret: error = %v", method, err)
		}
	}
}

func TestDPoP(t *testing.T) {
	o := startOIDC(t, settings{"dpopNonce": true})
	hc, s := serverOf(t, o)
	app, err := oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{
		GrantTypes: []string{oauth.GrantDeviceCode, oauth.GrantRefreshToken}, ResponseTypes: []string{},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	if app.DPoPKey, err = oauth.NewKey(); err != nil {
		t.Fatal(err)
	}
	c := &oauth.Client{HTTP: hc, Server: s, App: app}
	d, err := c.AuthorizeDevice(t.Context(), []string{"mcp:tools"}, o.mcp(), nil)
	if err != nil {
		t.Fatal(err)
	}
	newWebUser(t).approve(d.VerificationURIComplete)
	token, err := c.DeviceToken(t.Context(), d.DeviceCode, o.mcp())
	if err != nil || token.Type != "DPoP" || token.Refresh == "" {
		t.Fatalf("device token of type %q: %v", token.Type, err)
	}
	next, err := c.Refresh(t.Context(), token.Refresh, o.mcp(), nil)
	if err != nil || next.Type != "DPoP" {
		t.Fatalf("refresh to type %q: %v", next.Type, err)
	}
	otherKey := app
	if otherKey.DPoPKey, err = oauth.NewKey(); err != nil {
		t.Fatal(err)
	}
	_, err = (&oauth.Client{HTTP: hc, Server: s, App: otherKey}).Refresh(t.Context(), next.Refresh, o.mcp(), nil)
	if !oauth.IsCode(err, oauth.CodeInvalidGrant) {
		t.Errorf("refresh with another key: error = %v, want invalid_grant", err)
	}
}
