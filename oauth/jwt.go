package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"
)

// AuthPrivateKeyJWT is client authentication by an assertion (RFC 7523 §2.2)
// that App.Key signs.
const AuthPrivateKeyJWT = "private_key_jwt"

// assertionLifetime allows for clock skew, and is short enough that a leaked
// assertion is of little use.
const assertionLifetime = 5 * time.Minute

// joseHeader is the protected header of a signed JWT (RFC 7515 §4.1).
type joseHeader struct {
	Alg  string `json:"alg"`
	Type string `json:"typ"`
	ID   string `json:"kid,omitempty"`
	JWK  *jwk   `json:"jwk,omitempty"`
}

// claims are the JWT claims of client assertions (RFC 7523 §3) and DPoP proofs
// (RFC 9449 §4.2).
type claims struct {
	Issuer     string `json:"iss,omitempty"`
	Subject    string `json:"sub,omitempty"`
	Audience   string `json:"aud,omitempty"`
	ID         string `json:"jti"`
	IssuedAt   int64  `json:"iat"`
	Expiry     int64  `json:"exp,omitempty"`
	Method     string `json:"htm,omitempty"`
	URL        string `json:"htu,omitempty"`
	AccessHash string `json:"ath,omitempty"`
	Nonce      string `json:"nonce,omitempty"`
}

// addAssertion adds a client assertion to a form (RFC 7523 §2.2).
func (c *Client) addAssertion(form url.Values) error {
	k := c.App.Key
	if k == nil {
		return fmt.Errorf("client authentication %s: no private key", AuthPrivateKeyJWT)
	}
	if algs := c.Server.TokenAuthAlgs; len(algs) > 0 && !slices.Contains(algs, k.alg) {
		return fmt.Errorf("client authentication %s: %w: it accepts %q, the key signs with %s",
			AuthPrivateKeyJWT, ErrUnsupported, algs, k.alg)
	}
	signer, err := k.private()
	if err != nil {
		return err
	}
	audience := k.Audience
	if audience == "" {
		audience = c.Server.Issuer
	}
	now := time.Now()
	jwt, err := sign(signer, joseHeader{Alg: k.alg, Type: "JWT", ID: k.ID}, claims{
		Issuer: c.App.ID, Subject: c.App.ID, Audience: audience,
		ID: rand.Text(), IssuedAt: now.Unix(), Expiry: now.Add(assertionLifetime).Unix(),
	})
	if err != nil {
		return fmt.Errorf("sign client assertion: %w", err)
	}
	form.Set("client_id", c.App.ID)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", jwt)
	return nil
}

// sign returns a signed JWT in compact serialization (RFC 7515 §3.1).
func sign(signer crypto.Signer, header joseHeader, body claims) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	return compact(signer, header.Alg, h, b)
}

func compact(signer crypto.Signer, alg string, header, body []byte) (string, error) {
	input := b64(header) + "." + b64(body)
	hash, ok := map[string]crypto.Hash{AlgES256: crypto.SHA256, AlgRS256: crypto.SHA256, AlgES384: crypto.SHA384, AlgEdDSA: 0}[alg]
	if !ok {
		return "", errors.New("unknown signature algorithm")
	}
	digest := []byte(input)
	if hash != 0 { // Ed25519 signs the message, not a digest
		h := hash.New()
		h.Write(digest)
		digest = h.Sum(nil)
	}
	signature, err := signer.Sign(rand.Reader, digest, hash)
	if err != nil {
		return "", err
	}
	if key, ok := signer.Public().(*ecdsa.PublicKey); ok {
		if signature, err = rawSignature(signature, (key.Curve.Params().BitSize+7)/8); err != nil {
			return "", err
		}
	}
	return input + "." + b64(signature), nil
}

// rawSignature converts an ASN.1 signature to the concatenation of R and S (RFC
// 7518 §3.4).
func rawSignature(der []byte, size int) ([]byte, error) {
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	raw := make([]byte, 2*size)
	rs.R.FillBytes(raw[:size])
	rs.S.FillBytes(raw[size:])
	return raw, nil
}
