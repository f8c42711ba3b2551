package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
)

// These are white-box tests: the published vectors have headers and payloads that
// no exported function would sign.

func unb64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectorEdDSA: RFC 8037 appendix A: Ed25519 signatures are deterministic.
func TestVectorEdDSA(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(unb64(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
	got, err := compact(key, AlgEdDSA, []byte(`{"alg":"EdDSA"}`), []byte("Example of Ed25519 signing"))
	const want = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc." +
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	if err != nil || got != want {
		t.Errorf("compact = %s, %v, want %s", got, err, want)
	}
	k, err := keyOf(key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Thumbprint(); err != nil || got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" { // appendix A.3
		t.Errorf("Thumbprint = %s, %v", got, err)
	}
}

// TestVectorThumbprintRSA: RFC 7638 §3.1.
func TestVectorThumbprintRSA(t *testing.T) {
	t.Parallel()
	n := "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	public, err := publicJWK(&rsa.PublicKey{N: new(big.Int).SetBytes(unb64(t, n)), E: 65537})
	if err != nil || public.N != n || public.E != "AQAB" || public.Kind != "RSA" {
		t.Errorf("publicJWK = %+v, %v", public, err)
	}
}

// TestSignES384: ECDSA signatures are random, so the test verifies them. They have
// the fixed width of RFC 7518 §3.4, also if R or S begins with zeros.
func TestSignES384(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		jwt, err := compact(key, AlgES384, []byte("{}"), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		signed, signature, _ := strings.Cut(jwt, ".e30.")
		raw := unb64(t, signature)
		sum := sha512.Sum384([]byte(signed + ".e30"))
		if len(raw) != 96 || !ecdsa.Verify(&key.PublicKey, sum[:], new(big.Int).SetBytes(raw[:48]), new(big.Int).SetBytes(raw[48:])) {
			t.Fatalf("signature %q does not verify", signature)
		}
	}
	if got, err := rawSignature([]byte{0x30, 6, 2, 1, 5, 2, 1, 7}, 4); err != nil || string(got) != "\x00\x00\x00\x05\x00\x00\x00\x07" {
		t.Errorf("rawSignature = %x, %v", got, err)
	}
	if _, err := compact(key, "none", nil, nil); err == nil {
		t.Error("an unknown algorithm was used")
	}
	if _, err := publicJWK(crypto.PublicKey("x")); err == nil {
		t.Error("an unknown public key was written")
	}
}
