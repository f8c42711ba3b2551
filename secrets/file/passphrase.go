package file

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/mcp-login/mcp-login/secrets"
)

// Passphrase keeps the store key in store.json, encrypted with a key that
// Argon2id derives from a passphrase. The derivation needs 64 MiB of memory,
// once per Store.
type Passphrase struct {
	Read func(context.Context) ([]byte, error) // prompts for the passphrase; required
	New  func(context.Context) ([]byte, error) // prompts for a new passphrase, usually twice; nil: Read
}

var _ Keeper = Passphrase{}

// passphraseParams are the keeper's params in store.json.
type passphraseParams struct {
	KDF     string `json:"kdf"`
	Salt    []byte `json:"salt"`
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memory"` // KiB
	Threads uint8  `json:"threads"`
	Nonce   []byte `json:"nonce"`
	Key     []byte `json:"key"` // sealed with XChaCha20-Poly1305
}

// The second recommended option of RFC 9106 §4, for memory-constrained
// environments, and the limits for params in a store.json.
const (
	kdfName    = "argon2id"
	kdfTime    = 3
	kdfMemory  = 64 << 10 // KiB
	kdfThreads = 4
	saltSize   = 16

	maxKDFTime   = 64
	maxKDFMemory = 4 << 20 // KiB
)

// Kind implements [Keeper].
func (p Passphrase) Kind() string { return "passphrase" }

// Keep implements [Keeper].
func (p Passphrase) Keep(ctx context.Context, id string, key []byte) (json.RawMessage, error) {
	ask := p.New
	if ask == nil {
		ask = p.Read
	}
	params := passphraseParams{
		KDF: kdfName, Time: kdfTime, Memory: kdfMemory, Threads: kdfThreads,
		Salt:  make([]byte, saltSize),
		Nonce: make([]byte, chacha20poly1305.NonceSizeX),
	}
	rand.Read(params.Salt) // never fails, as of Go 1.24
	rand.Read(params.Nonce)
	aead, err := params.derive(ctx, ask)
	if err != nil {
		return nil, err
	}
	params.Key = aead.Seal(nil, params.Nonce, key, []byte(id))
	return json.Marshal(params)
}

// Key implements [Keeper]. The checksum of store.json has been verified, so a
// decryption error means a wrong passphrase, not damage.
func (p Passphrase) Key(ctx context.Context, id string, raw json.RawMessage) ([]byte, error) {
	var params passphraseParams
	if err := json.Unmarshal(raw, &params); err != nil {
		return nil, fmt.Errorf("%w: read passphrase parameters: %w", secrets.ErrUndecryptable, err)
	}
	if err := params.check(); err != nil {
		return nil, err
	}
	aead, err := params.derive(ctx, p.Read)
	if err != nil {
		return nil, err
	}
	key, err := aead.Open(nil, params.Nonce, params.Key, []byte(id))
	if err != nil {
		return nil, secrets.ErrPassphrase
	}
	return key, nil
}

// check rejects params that are invalid or would need too much memory or time.
func (p passphraseParams) check() error {
	switch {
	case p.KDF != kdfName,
		p.Time < 1 || p.Time > maxKDFTime,
		p.Memory < 1 || p.Memory > maxKDFMemory,
		p.Threads < 1,
		len(p.Nonce) != chacha20poly1305.NonceSizeX:
		return fmt.Errorf("%w: unknown or unreasonable passphrase parameters", secrets.ErrUndecryptable)
	}
	return nil
}

// derive prompts for a passphrase and derives a cipher from it.
func (p passphraseParams) derive(ctx context.Context, ask func(context.Context) ([]byte, error)) (cipher.AEAD, error) {
	if ask == nil {
		return nil, errors.New("read passphrase: Passphrase.Read is not set")
	}
	passphrase, err := ask(ctx)
	if err != nil {
		return nil, err // ask's error says what it could not read
	}
	if len(passphrase) == 0 {
		return nil, fmt.Errorf("%w: it is empty", secrets.ErrPassphrase)
	}
	kek := argon2.IDKey(passphrase, p.Salt, p.Time, p.Memory, p.Threads, keySize)
	return chacha20poly1305.NewX(kek)
}
