//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// fixedSecret returns a source of a fixed secret.
func fixedSecret(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

// appRole creates a role whose tokens have this TTL, and returns its role ID and a
// source of secret IDs.
func (v *vaultServer) appRole(t *testing.T, ttl string) (roleID string, secretID func(wrap string) string) {
	t.Helper()
	v.write(t, "sys/auth/approle", map[string]any{"type": "approle"})
	v.write(t, "sys/policies/acl/mcp-login", map[string]any{"policy": vault.Policy("secret", "mcp-login")})
	v.write(t, "auth/approle/role/box", map[string]any{"token_policies": "mcp-login", "token_ttl": ttl, "token_max_ttl": ttl})
	root := v.client(t, v.root)
	secret, err := root.Logical().Read("auth/approle/role/box/role-id")
	if err != nil {
		t.Fatal(err)
	}
	return secret.Data["role_id"].(string), func(wrap string) string {
		c := v.client(t, v.root)
		c.SetWrappingLookupFunc(func(string, string) string { return wrap })
		secret, err := c.Logical().Write("auth/approle/role/box/secret-id", nil)
		if err != nil {
			t.Fatal(err)
		}
		if wrap != "" {
			return secret.WrapInfo.Token
		}
		return secret.Data["secret_id"].(string)
	}
}

func TestVaultAppRole(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	role, secretID := v.appRole(t, "1h")
	open := func(a *vault.AppRole) *vault.Store {
		a.RoleID = role
		return v.store(t, vault.Config{Client: v.client(t, ""), Auth: a})
	}
	if err := open(&vault.AppRole{SecretID: fixedSecret(secretID(""))}).Probe(t.Context()); err != nil {
		t.Errorf("with a secret ID: %v", err)
	}
	wrapped := secretID("1m")
	if err := open(&vault.AppRole{SecretID: fixedSecret(wrapped), Wrapped: true}).Probe(t.Context()); err != nil {
		t.Errorf("with a wrapped secret ID: %v", err)
	}
	err := open(&vault.AppRole{SecretID: fixedSecret(wrapped), Wrapped: true}).Probe(t.Context())
	if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "was already used") || strings.Contains(err.Error(), wrapped) {
		t.Errorf("with a wrapping token that was used = %v, want ErrUnavailable for that reason", err)
	}
	err = open(&vault.AppRole{SecretID: fixedSecret("wrong")}).Probe(t.Context())
	if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "invalid role or secret ID") {
		t.Errorf("with a wrong secret ID = %v, want ErrUnavailable with Vault's message", err)
	}
}

// TestVaultLogsInAgain: a token that expires or is revoked is replaced during a run,
// without a second use of the wrapping token.
func TestVaultLogsInAgain(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	role, secretID := v.appRole(t, "6s")
	c := v.client(t, "")
	s := v.store(t, vault.Config{Client: c, Auth: &vault.AppRole{RoleID: role, SecretID: fixedSecret(secretID("1m")), Wrapped: true}})
	mustPut(t, s, "a", "one", secrets.Absent)
	first := c.Token()
	time.Sleep(6500 * time.Millisecond) // real time: the token expires after 6 s
	if _, _, err := s.Get(t.Context(), "a"); err != nil || c.Token() == first {
		t.Errorf("Get after the token expired: %v, same token: %v", err, c.Token() == first)
	}

	// KeepAlive logs in again, because the role limits its tokens to 6 s.
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	second := c.Token()
	go func() { ended <- s.KeepAlive(ctx) }()
	await.True(t, "the token is replaced by a valid one", func() bool {
		next := c.Token()
		return next != second && v.lookUp(next) != nil
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("KeepAlive: %v", err)
	}
}

// TestVaultKeepsTokenAlive: a token that cannot be replaced is renewed, and KeepAlive
// reports if its lifetime cannot be extended.
func TestVaultKeepsTokenAlive(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	token := func(body map[string]any) string {
		return v.write(t, "auth/token/create", body).Auth.ClientToken
	}
	periodic := v.client(t, token(map[string]any{"period": "12s"})) // the first renewal is after 8 s
	limited := v.client(t, token(map[string]any{"ttl": "2s", "explicit_max_ttl": "3s"}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kept, ended := make(chan error, 1), make(chan error, 1)
	go func() { kept <- v.store(t, vault.Config{Client: periodic}).KeepAlive(ctx) }()
	go func() { ended <- v.store(t, vault.Config{Client: limited}).KeepAlive(ctx) }()
	await.True(t, "the periodic token is renewed", func() bool { return v.renewed(periodic.Token()) })
	if err := await.Receive(t, "the end of the token that cannot be renewed", ended); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("KeepAlive of a token with a maximum TTL = %v, want ErrUnavailable", err)
	}
	cancel()
	if err := await.Receive(t, "the end of KeepAlive", kept); err != nil {
		t.Errorf("KeepAlive of a periodic token: %v", err)
	}
	if err := v.store(t, vault.Config{}).KeepAlive(t.Context()); err != nil {
		t.Errorf("KeepAlive of a token that never expires: %v", err)
	}
	_, _, err := v.store(t, vault.Config{Client: limited}).Get(t.Context(), "a")
	if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "is invalid or has expired") || strings.Contains(err.Error(), limited.Token()) {
		t.Errorf("Get with an expired token = %v, want ErrUnavailable for that reason", err)
	}
}

// TestVaultJWT logs in like a CI job, with an ID token that the test signs.
func TestVaultJWT(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	ci := newIDTokenSigner(t)
	v.write(t, "sys/auth/jwt", map[string]any{"type": "jwt"})
	v.write(t, "auth/jwt/config", map[string]any{"jwks_url": ci.url + "/jwks", "bound_issuer": ci.url})
	v.write(t, "sys/policies/acl/mcp-login", map[string]any{"policy": vault.Policy("secret", "mcp-login")})
	v.write(t, "auth/jwt/role/ci", map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": "vault", "bound_subject": "repo:acme/app", "token_policies": "mcp-login",
	})
	for subject, want := range map[string]error{"repo:acme/app": nil, "repo:evil/app": secrets.ErrUnavailable} {
		token := ci.sign(t, map[string]any{
			"iss": ci.url, "aud": "vault", "sub": subject, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		})
		s := v.store(t, vault.Config{Client: v.client(t, ""), Auth: &vault.JWT{Role: "ci", Token: fixedSecret(token)}})
		err := s.Probe(t.Context())
		if !errors.Is(err, want) || err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("as %s: %v, want %v", subject, err, want)
		}
	}
}

// idTokenSigner signs ID tokens and serves its public key.
type idTokenSigner struct {
	url string
	key *ecdsa.PrivateKey
}

func newIDTokenSigner(t *testing.T) *idTokenSigner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwks := map[string]any{"keys": []any{map[string]any{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": b64(point[1:33]), "y": b64(point[33:]),
	}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(jwks)
	}))
	t.Cleanup(server.Close)
	return &idTokenSigner{url: server.URL, key: key}
}

func (s *idTokenSigner) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := b64([]byte(`{"alg":"ES256","typ":"JWT","kid":"1"}`)) + "." + b64(payload)
	digest := sha256.Sum256([]byte(text))
	r, sig, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	var out [64]byte
	for i, n := range []*big.Int{r, sig} {
		n.FillBytes(out[32*i : 32*i+32])
	}
	return text + "." + b64(out[:])
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
