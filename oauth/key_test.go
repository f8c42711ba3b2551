package oauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

func pemOf(t *testing.T, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs8(t *testing.T, private any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return pemOf(t, "PRIVATE KEY", der, err)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	p256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	ec1, ecErr := x509.MarshalECPrivateKey(p256)
	params := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{1}})
	for _, tt := range []struct {
		name string
		text []byte
		alg  string // "": rejected
	}{
		{"PKCS #8 P-256", pkcs8(t, p256), oauth.AlgES256},
		{"PKCS #8 P-384", pkcs8(t, must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))), oauth.AlgES384},
		{"PKCS #8 RSA", pkcs8(t, rsaKey), oauth.AlgRS256},
		{"PKCS #8 Ed25519", pkcs8(t, ed), oauth.AlgEdDSA},
		{"SEC 1 by openssl", append(params, pemOf(t, "EC PRIVATE KEY", ec1, ecErr)...), oauth.AlgES256},
		{"PKCS #1", pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), err), oauth.AlgRS256},
		{"P-224", pkcs8(t, must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))), ""},
		{"short RSA", pkcs8(t, must(rsa.GenerateKey(rand.Reader, 1024))), ""},
		{"encrypted", pemOf(t, "ENCRYPTED PRIVATE KEY", []byte("x"), nil), ""},
		{"broken", pemOf(t, "PRIVATE KEY", []byte("hunter2"), nil), ""},
		{"not PEM", []byte("hunter2"), ""},
		{"empty", nil, ""},
	} {
		k, err := oauth.ParseKey(tt.text)
		if tt.alg == "" {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: error = %v, want one without the key", tt.name, err)
			}
			continue
		}
		if err != nil || k.Alg() != tt.alg {
			t.Errorf("%s: ParseKey = %v, %v, want %s", tt.name, k, err, tt.alg)
		}
	}
}

// TestKeyIsStored: a key is stored in the App, and signs the same after a round
// trip.
func TestKeyIsStored(t *testing.T) {
	t.Parallel()
	key := must(oauth.NewKey())
	key.ID, key.Audience = "k1", "https://as.test/token"
	text := must(json.Marshal(oauth.App{ID: "me", Key: key}))
	var app oauth.App
	if err := json.Unmarshal(text, &app); err != nil {
		t.Fatal(err)
	}
	want(t, "thumbprint", must(app.Key.Thumbprint()), must(key.Thumbprint()))
	want(t, "ID, Audience, Alg", app.Key.ID+" "+app.Key.Audience+" "+app.Key.Alg(), "k1 https://as.test/token ES256")
	want(t, "DPoPKey", app.DPoPKey == nil, true)
	want(t, "unused keys are not written", strings.Contains(string(must(json.Marshal(oauth.App{ID: "me"}))), "key"), false)

	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(must(key.PublicSet()), &set); err != nil {
		t.Fatal(err)
	}
	jwk := set.Keys[0]
	want(t, "public set", fmt.Sprint(len(set.Keys), jwk["kty"], jwk["crv"], jwk["alg"], jwk["use"], jwk["kid"], jwk["d"]), "1ECP-256ES256sigk1")

	var broken oauth.Key
	if err := json.Unmarshal([]byte(`{"alg":"ES256","pkcs8":"AAAA"}`), &broken); err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Thumbprint(); err == nil {
		t.Error("a broken key has a thumbprint")
	}
	if _, err := broken.PublicSet(); err == nil {
		t.Error("a broken key has a public set")
	}
	if err := json.Unmarshal([]byte(`{"pkcs8":5}`), &broken); err == nil {
		t.Error("a key of the wrong type was accepted")
	}
}

func TestKeyDoesNotPrint(t *testing.T) {
	t.Parallel()
	key := must(oauth.NewKey())
	var stored struct{ PKCS8 string }
	if err := json.Unmarshal(must(json.Marshal(key)), &stored); err != nil || stored.PKCS8 == "" {
		t.Fatal(err)
	}
	app := oauth.App{ID: "me", Key: key, DPoPKey: key}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key, "app", app)
	text := fmt.Sprintf("%v %+v %#v %s %v %+v %#v", key, key, key, key, app, app, app) + log.String()
	if strings.Contains(text, stored.PKCS8) || strings.Contains(text, fmt.Sprintf("%x", stored.PKCS8)) || strings.Contains(text, "der:") {
		t.Errorf("the key is printed: %s", text)
	}
	if e := (oauth.Exchange{Subject: "hunter2"}); strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "hunter2") {
		t.Error("the subject token is printed")
	}
}
