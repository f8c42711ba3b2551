package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

const asURL = "https://as.test"

// clientAt returns a client of a fake server.
func clientAt(t *testing.T, srv *oauthtest.Server, app oauth.App) *oauth.Client {
	t.Helper()
	srv.URL = asURL
	s, err := oauth.FetchServer(t.Context(), srv.Client(), asURL)
	if err != nil {
		t.Fatal(err)
	}
	return &oauth.Client{HTTP: srv.Client(), Server: s, App: app}
}

// TestPrivateKeyJWT: the fake server checks signature, iss, sub, aud = issuer,
// times and jti.
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	checkErr(t, err, nil)
	for _, private := range []crypto.Signer{
		must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(rsa.GenerateKey(rand.Reader, 2048)), ed,
	} {
		key := must(oauth.ParseKey(pkcs8(t, private)))
		t.Run("extension oauth-client-credentials "+key.Alg(), func(t *testing.T) {
			t.Parallel()
			srv := &oauthtest.Server{Clients: oauthtest.Clients{Keys: map[string]crypto.PublicKey{"robot": private.Public()}}}
			c := clientAt(t, srv, oauth.App{ID: "robot", Key: key})
			for range 2 { // a new assertion each time
				token, err := c.Token(t.Context(), oauth.ClientCredentialsGrant(mcpURL, []string{"mcp:read"}))
				checkErr(t, err, nil)
				want(t, "Scope", token.Scope, "mcp:read")
			}
			key.Audience = "https://elsewhere.test"
			_, err := c.Token(t.Context(), oauth.ClientCredentialsGrant(mcpURL, nil))
			want(t, "another audience is rejected", oauth.IsCode(err, oauth.CodeInvalidClient), true)
		})
	}
}

func TestPrivateKeyJWTRejected(t *testing.T) {
	t.Parallel()
	public := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public()
	srv := &oauthtest.Server{Clients: oauthtest.Clients{Keys: map[string]crypto.PublicKey{"robot": public}}}
	grant := oauth.ClientCredentialsGrant(mcpURL, nil)

	c := clientAt(t, srv, oauth.App{ID: "robot", Key: must(oauth.NewKey())})
	_, err := c.Token(t.Context(), grant)
	want(t, "another key", oauth.IsCode(err, oauth.CodeInvalidClient), true)

	c.Server.TokenAuthAlgs = []string{"RS256"}
	_, err = c.Token(t.Context(), grant)
	checkErr(t, err, oauth.ErrUnsupported) // before anything is sent

	c.App = oauth.App{ID: "robot", AuthMethod: oauth.AuthPrivateKeyJWT}
	_, err = c.Token(t.Context(), grant)
	checkErr(t, err, errAny)
	want(t, "token requests", srv.Count(oauthtest.Token), 1)
}

func TestDPoP(t *testing.T) {
	t.Parallel()
	for _, nonce := range []bool{false, true} {
		srv := &oauthtest.Server{Proofs: oauthtest.Proofs{Required: true, Nonce: nonce}, Clients: oauthtest.Clients{Known: map[string]string{"person": ""}}}
		r, err := oauth.Discover(t.Context(), srv.Client(), mcpURL)
		checkErr(t, err, nil)
		want(t, "the challenge offers only DPoP", r.DPoP, true)
		c := clientAt(t, srv, oauth.App{ID: "person", DPoPKey: must(oauth.NewKey())})
		want(t, "DPoPAlgs", strings.Join(c.Server.DPoPAlgs, " "), "ES256")
		d, err := c.AuthorizeDevice(t.Context(), nil, mcpURL, nil)
		checkErr(t, err, nil)
		srv.ApproveDevice(d.UserCode)
		token, err := c.DeviceToken(t.Context(), d.DeviceCode, mcpURL)
		checkErr(t, err, nil)
		want(t, "Type", token.Type, "DPoP")
		token, err = c.Refresh(t.Context(), token.Refresh, mcpURL, nil)
		checkErr(t, err, nil)
		if n := srv.Count(oauthtest.Token); nonce && n != 3 || !nonce && n != 2 {
			t.Errorf("nonce %v: %d token requests: the nonce must be remembered", nonce, n)
		}
		callWithProof(t, srv, c.App, token, nonce)

		other := c.App
		other.DPoPKey = must(oauth.NewKey())
		_, err = (&oauth.Client{HTTP: c.HTTP, Server: c.Server, App: other}).Refresh(t.Context(), token.Refresh, mcpURL, nil)
		want(t, "another key cannot refresh", oauth.IsCode(err, oauth.CodeInvalidGrant), true)
	}
}

// callWithProof calls the MCP server twice, by RFC 9449 §9.
func callWithProof(t *testing.T, srv *oauthtest.Server, app oauth.App, token oauth.Token, wantNonce bool) {
	t.Helper()
	nonce := ""
	send := func() (*http.Response, bool) {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, mcpURL+"?q=1", strings.NewReader("{}")))
		checkErr(t, app.Authorize(r, token, nonce), nil)
		resp := must(srv.Client().Do(r))
		next, again := oauth.DPoPNonce(resp)
		if next != "" {
			nonce = next
		}
		return resp, again
	}
	resp, again := send()
	want(t, "retry with a nonce", again, wantNonce)
	if again {
		resp, again = send()
	}
	want(t, "retry with a nonce", again, false)
	want(t, "status", resp.StatusCode, http.StatusOK)

	r := must(http.NewRequest(http.MethodPost, mcpURL, strings.NewReader("{}")))
	checkErr(t, (oauth.App{}).Authorize(r, token, ""), errAny)
	want(t, "nothing is sent without the key", r.Header.Get("Authorization"), "")
	token.Type = "Bearer" // an attacker without the key
	checkErr(t, app.Authorize(r, token, ""), nil)
	want(t, "status of a bound token without a proof", must(srv.Client().Do(r)).StatusCode, http.StatusUnauthorized)
}

func TestDPoPNonce(t *testing.T) {
	t.Parallel()
	const challenge = `DPoP error="use_dpop_nonce", algs="ES256"`
	for _, tt := range []struct {
		status    int
		challenge string
		nonce     string
		want      string
		again     bool
	}{
		{401, challenge, "n1", "n1", true},
		{401, challenge, "", "", false},
		{401, challenge, "a b", "", false},
		{401, challenge, "a\x01", "", false},
		{401, `DPoP error="invalid_token"`, "n2", "n2", false},
		{401, `Bearer error="use_dpop_nonce"`, "n2", "n2", false},
		{200, "", "n3", "n3", false},
	} {
		resp := &http.Response{StatusCode: tt.status, Header: http.Header{"Www-Authenticate": {tt.challenge}, "Dpop-Nonce": {tt.nonce}}}
		if got, again := oauth.DPoPNonce(resp); got != tt.want || again != tt.again {
			t.Errorf("DPoPNonce(%d, %q, %q) = %q, %v", tt.status, tt.challenge, tt.nonce, got, again)
		}
	}
}

// TestDPoPNonceOnce: there is only one retry at a server that always requires
// another nonce.
func TestDPoPNonceOnce(t *testing.T) {
	t.Parallel()
	w := site(map[string]page{"https://as.test/token": {status: 400, header: http.Header{"Dpop-Nonce": {"n"}}, body: `{"error":"use_dpop_nonce"}`}})
	c := testClient(w)
	c.App.DPoPKey = must(oauth.NewKey())
	_, err := c.Token(t.Context(), nil)
	want(t, "rejected", oauth.IsCode(err, oauth.CodeUseDPoPNonce), true)
	want(t, "requests", len(w.requests), 2)
}

// TestJWTBearer: Workload identity: the ID token of a CI system is the grant.
func TestJWTBearer(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{
		Clients: oauthtest.Clients{Known: map[string]string{"workload": ""}},
		Trust: oauthtest.Trust{Assertion: func(jwt string) error {
			if jwt != "good.jwt.x" {
				return errors.New("the assertion has expired")
			}
			return nil
		}},
	}
	c := clientAt(t, srv, oauth.App{ID: "workload"})
	token, err := c.Token(t.Context(), oauth.JWTBearerGrant("good.jwt.x", mcpURL, []string{"mcp:read"}))
	checkErr(t, err, nil)
	want(t, "Scope, Refresh", token.Scope+token.Refresh, "mcp:read")
	_, err = c.Token(t.Context(), oauth.JWTBearerGrant("old.jwt.x", mcpURL, nil))
	want(t, "expired", oauth.IsCode(err, oauth.CodeInvalidGrant) && !oauth.Temporary(err), true)
}

// TestEnterpriseManaged: Enterprise-managed authorization: an ID token, an ID-JAG
// from the company, and a token of the MCP server's authorization server.
func TestEnterpriseManaged(t *testing.T) {
	t.Parallel()
	var request url.Values
	idp := &oauthtest.Server{Clients: oauthtest.Clients{Known: map[string]string{"idp-client": ""}}, Trust: oauthtest.Trust{
		Exchange: func(form url.Values) (string, error) { request = form; return "id.jag.x", nil },
	}}
	as := &oauthtest.Server{Clients: oauthtest.Clients{Known: map[string]string{"as-client": "s"}}, Trust: oauthtest.Trust{
		Assertion: func(jwt string) error {
			if jwt != "id.jag.x" {
				return errors.New("unknown")
			}
			return nil
		},
	}}
	idpClient, asClient := clientAt(t, idp, oauth.App{ID: "idp-client"}), clientAt(t, as, oauth.App{ID: "as-client", Secret: "s"})
	jag, err := idpClient.Token(t.Context(), oauth.Exchange{Subject: "id.token.x", SubjectType: oauth.TokenTypeIDToken,
		RequestedType: oauth.TokenTypeIDJAG, Audience: asClient.Server.Issuer, Resource: mcpURL, Scopes: []string{"mcp:read"}}.Grant())
	checkErr(t, err, nil)
	want(t, "Type", jag.Type, "N_A")
	want(t, "form", request.Encode(), url.Values{
		"grant_type": {oauth.GrantTokenExchange}, "subject_token": {"id.token.x"}, "subject_token_type": {oauth.TokenTypeIDToken},
		"requested_token_type": {oauth.TokenTypeIDJAG}, "audience": {asURL}, "resource": {mcpURL}, "scope": {"mcp:read"}, "client_id": {"idp-client"},
	}.Encode())
	token, err := asClient.Token(t.Context(), oauth.JWTBearerGrant(jag.Access, mcpURL, nil))
	checkErr(t, err, nil)
	want(t, "Type", token.Type, "Bearer")

	w := constant(200, `{"access_token":"x","token_type":"N_A","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}`)
	c := testClient(w)
	c.Server.RevocationEndpoint = "" // so that the exchange is the last request
	_, err = c.Token(t.Context(), oauth.Exchange{Subject: "x", RequestedType: oauth.TokenTypeIDJAG}.Grant())
	checkErr(t, err, oauth.ErrAnswer) // not the requested type
	want(t, "default subject type", w.form.Get("subject_token_type"), oauth.TokenTypeIDToken)
}

// TestRegistrationCannotSetKeys: a registration response must not set a key that
// the server knows.
func TestRegistrationCannotSetKeys(t *testing.T) {
	t.Parallel()
	key := string(must(json.Marshal(must(oauth.NewKey()))))
	app, err := registering(constant(201, `{"client_id":"c","key":`+key+`,"dpop_key":`+key+`}`), oauth.ClientMetadata{})
	checkErr(t, err, nil)
	want(t, "keys", app.Key == nil && app.DPoPKey == nil, true)

	w := constant(201, `{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}`)
	m := oauth.ClientMetadata{TokenAuthMethod: oauth.AuthPrivateKeyJWT, JWKS: must(must(oauth.NewKey()).PublicSet())}
	app, err = registering(w, m, oauth.AuthPrivateKeyJWT)
	checkErr(t, err, nil)
	want(t, "AuthMethod", app.AuthMethod, oauth.AuthPrivateKeyJWT)
	want(t, "jwks sent", strings.Contains(w.body, `"jwks":{"keys":[{`), true)
}

func TestClientDocument(t *testing.T) {
	t.Parallel()
	const id = "https://example.com/client.json"
	m := oauth.ClientMetadata{ClientName: "n", RedirectURIs: []string{"http://127.0.0.1/callback"}, GrantTypes: []string{"authorization_code"}}
	t.Run("checklist 14", func(t *testing.T) {
		want(t, "document", string(must(oauth.ClientDocument(id, m))), `{
  "client_id": "https://example.com/client.json",
  "client_name": "n",
  "application_type": "native",
  "grant_types": [
    "authorization_code"
  ],
  "redirect_uris": [
    "http://127.0.0.1/callback"
  ],
  "token_endpoint_auth_method": "none"
}`)
	})
	for _, bad := range []string{"http://localhost/client.json", "https://example.com", "https://example.com/", "https://example.com/a/../b", "https://example.com/./b", "https://u@example.com/b", "https://example.com/b#c", ""} {
		_, err := oauth.ClientDocument(bad, m)
		checkErr(t, err, errURL)
	}
	for _, change := range []func(*oauth.ClientMetadata){
		func(m *oauth.ClientMetadata) { m.ClientName = "" },
		func(m *oauth.ClientMetadata) { m.RedirectURIs = nil },
		func(m *oauth.ClientMetadata) { m.TokenAuthMethod = oauth.AuthClientSecretPost },
		func(m *oauth.ClientMetadata) { m.TokenAuthMethod = oauth.AuthPrivateKeyJWT },
	} {
		bad := m
		change(&bad)
		_, err := oauth.ClientDocument(id, bad)
		checkErr(t, err, errAny)
	}
}
