package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// KernelCache is a [Keeper] that caches the key of another keeper, usually a
// [Passphrase], in the Linux kernel. The cached key is never written to disk,
// except that the kernel may swap it out.
//
//	store, err := file.Open(file.Config{Dir: dir, Keeper: file.KernelCache{Keeper: passphrase}})
//
// The key is in the user keyring (user-keyring(7)): every process of this user
// on this machine can read it until it expires, just as any of them can use an
// ssh-agent. Other users cannot, but root can.
//
// Without a kernel keyring, the other keeper is called each time.
type KernelCache struct {
	Keeper
	For time.Duration // how long to cache a key from Keeper; 0: only use a cached key
}

// ErrUnsupported: this system has no kernel keyring, or a container forbids it.
var ErrUnsupported = errors.New("the kernel keyring is not available")

var (
	_ Keeper    = KernelCache{}
	_ Forgetter = KernelCache{}
)

// Key implements [Keeper]. It returns an error if For is set and the key cannot
// be cached.
func (c KernelCache) Key(ctx context.Context, id string, params json.RawMessage) ([]byte, error) {
	key, err := kernelGet(id)
	if err != nil { // not cached, expired or not supported
		if key, err = c.Keeper.Key(ctx, id, params); err != nil {
			return nil, err
		}
	}
	if c.For <= 0 {
		return key, nil
	}
	if keyID(key) != id {
		return nil, fmt.Errorf("%w: %s returned another key", secrets.ErrUndecryptable, c.Kind())
	}
	if err := kernelSet(id, key, c.For); err != nil {
		return nil, fmt.Errorf("remember store key: %w", err)
	}
	return key, nil
}

// Forget implements [Forgetter]: it removes the key from the kernel, and from
// the other keeper if that is a Forgetter.
func (c KernelCache) Forget(ctx context.Context, id string) error {
	return errors.Join(c.Drop(id), forget(ctx, id, c.Keeper))
}

// Drop removes the key with this ID (Status.Key) from the kernel. A missing key
// is not an error.
func (c KernelCache) Drop(id string) error {
	err := kernelDrop(id)
	if err == nil || errors.Is(err, errNotRemembered) || errors.Is(err, ErrUnsupported) {
		return nil
	}
	return fmt.Errorf("forget store key: %w", err)
}

// Supported returns ErrUnsupported if the kernel keyring is not available.
func (c KernelCache) Supported() error {
	if _, err := kernelGet(""); errors.Is(err, ErrUnsupported) {
		return err
	}
	return nil
}

// Remembers reports whether the key with this ID is in the kernel keyring.
func (c KernelCache) Remembers(id string) bool {
	_, err := kernelGet(id)
	return err == nil
}

var errNotRemembered = errors.New("not in the kernel keyring")
