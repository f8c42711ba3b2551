package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets/file"
)

// ErrNothingToUnlock means that the store's key needs no prompt.
var ErrNothingToUnlock = errors.New("the store cannot be locked")

// lockable returns the folder of a store whose key the kernel can remember, and
// its keeper.
func (o Opener) lockable(ctx context.Context, at Location) (dir string, k file.KernelCache, err error) {
	dir, err = o.existing(at, "unlock", "is unlocked")
	if err != nil {
		return "", k, err
	}
	usual, err := o.usualKeeper(ctx, dir, false)
	if err != nil {
		return "", k, err
	}
	keeper, err := o.keeper(usual.Keeper, true)
	if err != nil {
		return "", k, err
	}
	k, ok := keeper.(file.KernelCache)
	if !ok {
		return "", k, fmt.Errorf("%w: the key of %s is in a %s", ErrNothingToUnlock, o.Dirs.Tilde(dir), keeper.Kind())
	}
	return dir, k, k.Supported()
}

// Unlock caches a store's key in the kernel for a time. It returns the store's
// folder.
func (o Opener) Unlock(ctx context.Context, at Location, lasts time.Duration) (dir string, err error) {
	dir, cached, err := o.lockable(ctx, at)
	if err != nil {
		return "", err
	}
	cached.For = lasts
	s, err := file.Open(file.Config{Dir: dir, Keeper: cached})
	if err != nil {
		return "", err
	}
	return dir, s.Unlock(ctx)
}

// Lock removes a store's key from the kernel. It returns the store's folder.
func (o Opener) Lock(ctx context.Context, at Location) (dir string, err error) {
	dir, cached, err := o.lockable(ctx, at)
	if err != nil {
		return "", err
	}
	s, err := file.Open(file.Config{Dir: dir, Keeper: cached})
	if err != nil {
		return "", err
	}
	st, err := s.Status(ctx)
	if err != nil {
		return "", err
	}
	return dir, cached.Drop(st.Key)
}

// StaysLocked reports whether later commands find the store locked: its passphrase was
// typed, and the kernel does not cache the key. The error is file.ErrUnsupported if
// the kernel cannot cache keys.
func (o Opener) StaysLocked(ctx context.Context, at Location) (bool, error) {
	dir, files, err := o.Folder(at)
	if err != nil || !files || o.Passphrase != "" {
		return false, err
	}
	s, err := o.openFolder(ctx, dir)
	if err != nil {
		return false, err
	}
	st, err := s.Status(ctx)
	kernel := file.KernelCache{}
	if err != nil || st.Keeper != (file.Passphrase{}).Kind() || kernel.Remembers(st.Key) {
		return false, err
	}
	return true, kernel.Supported()
}
