package oauthtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// The checks here share no code with package oauth, which signs: otherwise a
// bug in both could go undetected.

// jwt is a parsed JWT in compact serialization (RFC 7515 §3.1).
type jwt struct {
	header struct {
		Alg  string `json:"alg"`
		Type string `json:"typ"`
		JWK  *jwk   `json:"jwk"`
	}
	claims struct {
		Issuer     string `json:"iss"`
		Subject    string `json:"sub"`
		Audience   string `json:"aud"`
		ID         string `json:"jti"`
		IssuedAt   int64  `json:"iat"`
		Expiry     int64  `json:"exp"`
		Method     string `json:"htm"`
		URL        string `json:"htu"`
		AccessHash string `json:"ath"`
		Nonce      string `json:"nonce"`
	}
	signed    string
	signature []byte
}

// jwk is a public key (RFC 7517).
type jwk struct {
	Kind    string `json:"kty"`
	Curve   string `json:"crv"`
	X       string `json:"x"`
	Y       string `json:"y"`
	N       string `json:"n"`
	E       string `json:"e"`
	Private string `json:"d"`
}

func readJWT(text string) (*jwt, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("not three parts")
	}
	var j jwt
	for i, v := range []any{&j.header, &j.claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, v); err != nil {
			return nil, err
		}
	}
	var err error
	j.signed = parts[0] + "." + parts[1]
	j.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return &j, err
}

func (j *jwt) verify(key crypto.PublicKey) bool {
	sum := sha256.Sum256([]byte(j.signed))
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if j.header.Alg != "ES256" || k.Curve != elliptic.P256() || len(j.signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(j.signature[:32]), new(big.Int).SetBytes(j.signature[32:])
		return ecdsa.Verify(k, sum[:], r, s)
	case *rsa.PublicKey:
		return j.header.Alg == "RS256" && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], j.signature) == nil
	case ed25519.PublicKey:
		return j.header.Alg == "EdDSA" && ed25519.Verify(k, []byte(j.signed), j.signature)
	}
	return false
}

func (k *jwk) public() (crypto.PublicKey, error) {
	x, err1 := base64.RawURLEncoding.DecodeString(k.X)
	y, err2 := base64.RawURLEncoding.DecodeString(k.Y)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	switch {
	case k.Kind == "EC" && k.Curve == "P-256":
		return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	case k.Kind == "OKP" && k.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize:
		return ed25519.PublicKey(x), nil
	}
	return nil, errors.New("unknown kind of key")
}

// thumbprint returns the thumbprint of the key (RFC 7638).
func (k *jwk) thumbprint() string {
	text := fmt.Sprintf(`{"crv":%q,"kty":%q,"x":%q,"y":%q}`, k.Curve, k.Kind, k.X, k.Y)
	if k.Kind == "OKP" {
		text = fmt.Sprintf(`{"crv":%q,"kty":%q,"x":%q}`, k.Curve, k.Kind, k.X)
	}
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:])
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
