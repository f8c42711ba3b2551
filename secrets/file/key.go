package file

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/mcp-login/mcp-login/secrets"
)

// key is a store key, ready to use.
type key struct {
	id     string
	secret []byte
	aead   cipher.AEAD
}

// keyRing holds the keys of a store: the current one, and the previous one
// while a rekey is in progress or was interrupted.
type keyRing struct {
	head     header // the header that names these keys
	current  key
	previous key
}

const (
	keySize   = chacha20poly1305.KeySize
	keyIDSize = 16
)

func newKey(secret []byte) (key, error) {
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return key{}, fmt.Errorf("%w: a store key has %d bytes, not %d", secrets.ErrUndecryptable, keySize, len(secret))
	}
	return key{keyID(secret), secret, aead}, nil
}

// keyID returns a hash that identifies a key without revealing it: the key is
// random, so guessing it from the hash is infeasible.
func keyID(secret []byte) string {
	h := sha256.New()
	h.Write([]byte("mcp-login store key id\x00"))
	h.Write(secret)
	return hex.EncodeToString(h.Sum(nil)[:keyIDSize])
}

func (k key) idBytes() []byte {
	b, _ := hex.DecodeString(k.id) // always valid: keyID made it
	return b
}

func (r keyRing) key(id string) (key, bool) {
	switch id {
	case r.current.id:
		return r.current, true
	case r.previous.id:
		return r.previous, true
	}
	return key{}, false
}

// prepare creates the folder, and gets the key of an existing store from the
// keeper, so that no process waits for a passphrase while holding the write
// lock.
func (s *Store) prepare(ctx context.Context) error {
	if err := makeDir(s.dir); err != nil {
		return err
	}
	h, err := s.header()
	if errors.Is(err, secrets.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.unlock(ctx, h)
	if err != nil && ctx.Err() == nil && s.rekeyed(h) {
		return s.prepare(ctx)
	}
	return err
}

// unlock returns the keys of the store. It calls the keeper once per header.
func (s *Store) unlock(ctx context.Context, h header) (keyRing, error) {
	if r, ok := s.cached(h); ok {
		return r, nil
	}
	if err := s.sem.Acquire(ctx); err != nil {
		return keyRing{}, err
	}
	defer s.sem.Release()
	if r, ok := s.cached(h); ok {
		return r, nil
	}
	r, err := s.loadKeys(ctx, h)
	if err != nil {
		return keyRing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = r
	return r, nil
}

// setKeys replaces the cached keys and the keeper.
func (s *Store) setKeys(r keyRing, k Keeper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring, s.keeper = r, k
}

// setKeeper replaces the keeper and clears the cached keys.
func (s *Store) setKeeper(k Keeper) { s.setKeys(keyRing{}, k) }

func (s *Store) currentKeeper() Keeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keeper
}

func (s *Store) cached(h header) (keyRing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ring, s.ring.head.same(h)
}

// loadKeys gets the key from the keeper and verifies that it is the right one.
func (s *Store) loadKeys(ctx context.Context, h header) (keyRing, error) {
	k := s.currentKeeper()
	if h.Keeper != k.Kind() {
		return keyRing{}, &KeeperError{Dir: s.dir, Kept: h.Keeper, Asked: k.Kind()}
	}
	secret, err := k.Key(ctx, h.Key, h.Params)
	if err != nil {
		return keyRing{}, err
	}
	current, err := newKey(secret)
	if err != nil {
		return keyRing{}, err
	}
	if current.id != h.Key {
		return keyRing{}, fmt.Errorf("%w: %s returned a key that is not the key of %s", secrets.ErrUndecryptable, h.Keeper, s.dir)
	}
	r := keyRing{head: h, current: current}
	if h.Previous == nil {
		return r, nil
	}
	r.previous, err = current.unwrap(h.Previous)
	return r, err
}

// unlockOrCreate returns the keys of the store, which it creates if needed. The
// caller holds the write lock, so that all processes agree on one key.
func (s *Store) unlockOrCreate(ctx context.Context) (keyRing, error) {
	h, err := s.header()
	if errors.Is(err, secrets.ErrNotFound) {
		h, err = s.create(ctx)
	}
	if err != nil {
		return keyRing{}, err
	}
	return s.unlock(ctx, h)
}

// create generates a key, passes it to the keeper and writes the header, which
// makes it valid. A process that dies in between leaves a key that nothing
// refers to.
func (s *Store) create(ctx context.Context) (header, error) {
	if found, err := s.hasRecords(ctx); err != nil || found {
		return header{}, errors.Join(err, s.missingHeader())
	}
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails, as of Go 1.24
	k := s.currentKeeper()
	h := header{Version: headerVersion, Key: keyID(secret), Keeper: k.Kind()}
	var err error
	if h.Params, err = k.Keep(ctx, h.Key, secret); err != nil {
		return header{}, err
	}
	if err := s.writeHeader(&h); err != nil {
		return header{}, err
	}
	if s.created != nil {
		s.created()
	}
	return h, nil
}

// wrap encrypts another key with this one.
func (k key) wrap(other key) []byte {
	nonce := newNonce()
	return k.aead.Seal(nonce, nonce, other.secret, []byte(wrapContext+k.id))
}

func (k key) unwrap(wrapped []byte) (key, error) {
	if len(wrapped) < chacha20poly1305.NonceSizeX {
		return key{}, damaged(headerFile)
	}
	nonce, sealed := wrapped[:chacha20poly1305.NonceSizeX], wrapped[chacha20poly1305.NonceSizeX:]
	secret, err := k.aead.Open(nil, nonce, sealed, []byte(wrapContext+k.id))
	if err != nil {
		return key{}, damaged(headerFile)
	}
	return newKey(secret)
}

const wrapContext = "mcp-login previous store key\x00"
