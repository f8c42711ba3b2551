package oauth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
)

// Signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1). The type of a key
// determines its algorithm.
const (
	AlgES256 = "ES256"
	AlgES384 = "ES384"
	AlgRS256 = "RS256"
	AlgEdDSA = "EdDSA"
)

const minRSABits = 2048 // RFC 7518 §3.3

// Key is a private key that signs client assertions or DPoP proofs. It is
// stored as JSON and prints as redacted. Do not modify it after its first use.
type Key struct {
	// ID is sent as kid in client assertions; "": not sent.
	ID string
	// Audience of client assertions; "": the issuer. Some servers require the
	// URL of their token endpoint.
	Audience string

	alg string
	der []byte // PKCS #8; parsed on use, because most processes never sign with it
}

// NewKey generates an ES256 key, which every DPoP server accepts.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return keyOf(private)
}

// ParseKey parses a private key in PEM: PKCS #8, PKCS #1 or SEC 1. It must be
// EC P-256 or P-384, RSA of 2048 bits or more, or Ed25519.
func ParseKey(text []byte) (*Key, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			return parseWith(x509.ParsePKCS8PrivateKey, block)
		case "EC PRIVATE KEY":
			return parseWith(x509.ParseECPrivateKey, block)
		case "RSA PRIVATE KEY":
			return parseWith(x509.ParsePKCS1PrivateKey, block)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("private key is encrypted with a passphrase: decrypt it first")
		}
	}
	return nil, errors.New("no private key in PEM form")
}

func parseWith[K any](parse func([]byte) (K, error), block *pem.Block) (*Key, error) {
	private, err := parse(block.Bytes)
	if err != nil {
		return nil, errors.New("private key cannot be read") // the cause could quote the key
	}
	return keyOf(private)
}

func keyOf(private any) (*Key, error) {
	alg, err := algOf(private)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return &Key{alg: alg, der: der}, nil
}

func algOf(private any) (string, error) {
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			return AlgES256, nil
		case elliptic.P384():
			return AlgES384, nil
		}
	case *rsa.PrivateKey:
		if k.N.BitLen() >= minRSABits {
			return AlgRS256, nil
		}
	case ed25519.PrivateKey:
		return AlgEdDSA, nil
	}
	return "", errors.New("private key must be EC P-256 or P-384, RSA of 2048 bits or more, or Ed25519")
}

// Alg returns the algorithm that the key signs with.
func (k *Key) Alg() string { return k.alg }

// private parses the key. keyOf has validated it.
func (k *Key) private() (crypto.Signer, error) {
	v, err := x509.ParsePKCS8PrivateKey(k.der)
	if err != nil {
		return nil, errors.New("stored private key cannot be read")
	}
	s, ok := v.(crypto.Signer)
	if !ok {
		return nil, errors.New("stored private key cannot sign")
	}
	return s, nil
}

// jwk is a public key (RFC 7517). The fields are in the order that thumbprints
// require (RFC 7638 §3.2).
type jwk struct {
	Curve string `json:"crv,omitempty"`
	E     string `json:"e,omitempty"`
	Kind  string `json:"kty"`
	N     string `json:"n,omitempty"`
	X     string `json:"x,omitempty"`
	Y     string `json:"y,omitempty"`
}

func publicJWK(public crypto.PublicKey) (jwk, error) {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes() // 4, X, Y
		if err != nil {
			return jwk{}, err
		}
		half := len(point) / 2
		return jwk{Curve: p.Curve.Params().Name, Kind: "EC", X: b64(point[1 : 1+half]), Y: b64(point[1+half:])}, nil
	case *rsa.PublicKey:
		return jwk{E: b64(big.NewInt(int64(p.E)).Bytes()), Kind: "RSA", N: b64(p.N.Bytes())}, nil
	case ed25519.PublicKey:
		return jwk{Curve: "Ed25519", Kind: "OKP", X: b64(p)}, nil
	}
	return jwk{}, errors.New("public key of an unknown kind")
}

// Thumbprint returns the SHA-256 thumbprint of the public key (RFC 7638), the
// dpop_jkt of RFC 9449 §10.
func (k *Key) Thumbprint() (string, error) {
	signer, err := k.private()
	if err != nil {
		return "", err
	}
	public, err := publicJWK(signer.Public())
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return b64(sum[:]), nil
}

// PublicSet returns the public key as a JSON Web Key Set (RFC 7517 §5), for a
// registration or a client ID metadata document.
func (k *Key) PublicSet() (json.RawMessage, error) {
	signer, err := k.private()
	if err != nil {
		return nil, err
	}
	public, err := publicJWK(signer.Public())
	if err != nil {
		return nil, err
	}
	type entry struct {
		jwk
		Alg string `json:"alg"`
		Use string `json:"use"`
		ID  string `json:"kid,omitempty"`
	}
	return json.Marshal(map[string][]entry{"keys": {{jwk: public, Alg: k.alg, Use: "sig", ID: k.ID}}})
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// storedKey is the persisted form of a Key.
type storedKey struct {
	Alg      string `json:"alg"`
	ID       string `json:"kid,omitempty"`
	Audience string `json:"aud,omitempty"`
	PKCS8    []byte `json:"pkcs8"`
}

// MarshalJSON returns the private key: the result is a secret.
func (k *Key) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedKey{Alg: k.alg, ID: k.ID, Audience: k.Audience, PKCS8: k.der})
}

// UnmarshalJSON reads the output of MarshalJSON. The key itself is parsed on
// first use.
func (k *Key) UnmarshalJSON(text []byte) error {
	var s storedKey
	if err := json.Unmarshal(text, &s); err != nil {
		return errors.New("stored private key cannot be read")
	}
	*k = Key{ID: s.ID, Audience: s.Audience, alg: s.Alg, der: bytes.Clone(s.PKCS8)}
	return nil
}

// String shows the algorithm alone.
func (k *Key) String() string { return fmt.Sprintf("oauth.Key{%s}", k.alg) }

// GoString shows the algorithm alone under %#v too.
func (k *Key) GoString() string { return k.String() }

// LogValue shows the algorithm alone to log/slog.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
