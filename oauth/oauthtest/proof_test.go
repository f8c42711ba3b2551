package oauthtest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// signed returns an ES256 JWT with any header and claims.
func signed(t *testing.T, key *ecdsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	var parts []string
	for _, v := range []any{header, claims} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, ".")))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(raw)), ".")
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestBadProofs: the fake server rejects invalid proofs.
func TestBadProofs(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{Proofs: oauthtest.Proofs{Required: true}, Clients: oauthtest.Clients{Known: map[string]string{"robot": "s"}}}
	key := newKey(t)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	jwk := map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	send := func(proofs ...string) string {
		form := url.Values{"grant_type": {oauth.GrantClientCredentials}, "client_id": {"robot"}, "client_secret": {"s"}, "resource": {mcpURL}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://as.test/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Dpop": proofs}
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct {
			Error string
			Type  string `json:"token_type"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer.Error + answer.Type
	}
	// proof returns a valid proof with one change.
	proof := func(in, name string, value any) string {
		header := map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
		claims := map[string]any{"jti": rand.Text(), "htm": "POST", "htu": "https://as.test/token", "iat": time.Now().Unix()}
		map[string]map[string]any{"header": header, "claims": claims}[in][name] = value
		return signed(t, key, header, claims)
	}
	valid := proof("claims", "nonce", "not wanted")
	if got := send(valid); got != "DPoP" {
		t.Fatalf("the response to a valid proof is %q", got)
	}
	withPrivate := map[string]any{"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"], "d": "AAAA"}
	for name, bad := range map[string][]string{
		"none": nil, "two": {proof("claims", "jti", "a"), proof("claims", "jti", "b")}, "replayed": {valid}, "not a JWT": {"x"}, "not base64": {"!.!.!"},
		"another typ": {proof("header", "typ", "JWT")}, "another alg": {proof("header", "alg", "none")}, "no key": {proof("header", "jwk", nil)},
		"private key": {proof("header", "jwk", withPrivate)}, "not a point on the curve": {proof("header", "jwk", map[string]any{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"})},
		"another key type": {proof("header", "jwk", map[string]any{"kty": "oct"})}, "no jti": {proof("claims", "jti", "")}, "another method": {proof("claims", "htm", "GET")},
		"another URL": {proof("claims", "htu", "https://as.test/other")}, "old": {proof("claims", "iat", time.Now().Add(-time.Hour).Unix())},
		"a hash without a token": {proof("claims", "ath", "x")}, "changed": {valid[:len(valid)-4] + "AAAA"},
	} {
		if got := send(bad...); got != "invalid_dpop_proof" {
			t.Errorf("%s: response %q, want invalid_dpop_proof", name, got)
		}
	}
}

func TestBadAssertions(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	srv := &oauthtest.Server{Clients: oauthtest.Clients{Keys: map[string]crypto.PublicKey{"robot": key.Public()}}}
	send := func(name string, value any, kind string) error {
		claims := map[string]any{"iss": "robot", "sub": "robot", "aud": "https://as.test", "jti": rand.Text(),
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
		claims[name] = value
		c := &oauth.Client{HTTP: srv.Client(), Server: oauth.Server{TokenEndpoint: "https://as.test/token"}, App: oauth.App{ID: "robot"}}
		grant := oauth.ClientCredentialsGrant(mcpURL, nil)
		grant.Set("client_assertion", signed(t, key, map[string]any{"alg": "ES256"}, claims))
		grant.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:"+kind)
		_, err := c.Token(t.Context(), grant)
		return err
	}
	if err := send("jti", "once", "jwt-bearer"); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"iss": "other", "sub": "other", "aud": "https://as.test/token", "jti": "once",
		"exp": time.Now().Add(-time.Second).Unix(), "iat": time.Now().Add(time.Hour).Unix(),
	} {
		wantCode(t, send(name, value, "jwt-bearer"), oauth.CodeInvalidClient)
	}
	wantCode(t, send("x", "", "saml2-bearer"), oauth.CodeInvalidClient)
}

func TestTrustOff(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{Clients: oauthtest.Clients{Known: map[string]string{"c": ""}}}
	c := &oauth.Client{HTTP: srv.Client(), Server: oauth.Server{TokenEndpoint: "https://as.test/token"}, App: oauth.App{ID: "c"}}
	for _, grant := range []url.Values{oauth.JWTBearerGrant("a.b.c", mcpURL, nil), oauth.Exchange{Subject: "x"}.Grant()} {
		_, err := c.Token(t.Context(), grant)
		wantCode(t, err, oauth.CodeUnsupportedGrantType)
	}
}
