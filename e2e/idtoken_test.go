//go:build e2e

package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// idTokenServer is a fake of GitHub's service that issues ID tokens to a job. It
// implements https://docs.github.com/actions/reference/security/oidc.
type idTokenServer struct {
	url     string // issuer
	key     *rsa.PrivateKey
	subject string
}

// jobSecret is the token with which the job requests ID tokens.
const jobSecret = "runner-request-token"

func startIDTokenServer(t *testing.T, subject string) *idTokenServer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &idTokenServer{key: key, subject: subject}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+jobSecret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token := s.sign(t, r.URL.Query().Get("audience"))
		recordTokens(token)
		_ = json.NewEncoder(w).Encode(map[string]any{"count": len(token), "value": token}) // a lost response fails the test
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// env returns what the runner sets in a job with `id-token: write`.
func (s *idTokenServer) env() []string {
	return []string{
		"--env", "ACTIONS_ID_TOKEN_REQUEST_URL=" + s.url + "/token?api-version=2.0",
		"--env", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + jobSecret,
	}
}

// sign signs a token with RS256 (RFC 7518 §3.3).
func (s *idTokenServer) sign(t *testing.T, audience string) string {
	t.Helper()
	now := time.Now().Unix()
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "1"}) + "." + part(map[string]any{
		"iss": s.url, "sub": s.subject, "aud": audience, "jti": rand.Text(), "iat": now, "nbf": now, "exp": now + 300,
	})
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// publicKey returns the key as PEM.
func (s *idTokenServer) publicKey(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
