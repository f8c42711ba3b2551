package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// KernelCache is a [Keeper] that remembers in the Linux kernel what another
// keeper, commonly a [Passphrase], had to ask a person for. Nothing of it
// reaches a disk, except that the kernel may swap it out.
//
//	store, err := file.Open(file.Config{Dir: dir, Keeper: file.KernelCache{Keeper: passphrase}})
//
// The key is in the user keyring (user-keyring(7)): every process of this user
// on this machine can read it until its time is over, as an ssh-agent would
// sign for any of them. Other users cannot, root can.
//
// Where there is no such keyring, the other keeper is asked each time.
type KernelCache struct {
	Keeper
	For time.Duration // how long to remember what Keeper is asked for; 0: only use what is remembered already
}

// ErrUnsupported: this system has no kernel keyring, or a container forbids it.
var ErrUnsupported = errors.New("the kernel keyring is not available")

var (
	_ Keeper    = KernelCache{}
	_ Forgetter = KernelCache{}
)

// Key implements [Keeper]. Only with For does it matter whether the key can be
// remembered.
func (c KernelCache) Key(ctx context.Context, id string, params json.RawMessage) ([]byte, error) {
	key, err := kernelGet(id)
	if err != nil { // not remembered, or no longer, or never
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

// Forget implements [Forgetter]: the kernel forgets the key, and so does the
// other keeper if it can.
func (c KernelCache) Forget(ctx context.Context, id string) error {
	return errors.Join(c.Drop(id), forget(ctx, id, c.Keeper))
}

// Drop makes the kernel forget the key of this id, which [Status] tells. One
// that it does not know is no error.
func (c KernelCache) Drop(id string) error {
	err := kernelDrop(id)
	if err == nil || errors.Is(err, errNotRemembered) || errors.Is(err, ErrUnsupported) {
		return nil
	}
	return fmt.Errorf("forget store key: %w", err)
}

// Supported returns ErrUnsupported where the kernel cannot remember anything.
func (c KernelCache) Supported() error {
	if _, err := kernelGet(""); errors.Is(err, ErrUnsupported) {
		return err
	}
	return nil
}

// Remembers reports whether the kernel knows the key of this id.
func (c KernelCache) Remembers(id string) bool {
	_, err := kernelGet(id)
	return err == nil
}

var errNotRemembered = errors.New("not in the kernel keyring")
