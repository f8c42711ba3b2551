// Package keyring keeps the key of an encrypted store in the keyring of the
// operating system: the macOS Keychain, the Windows Credential Manager, or a
// Secret Service on a Linux desktop.
//
//	store, err := file.Open(file.Config{Dir: dir, Keeper: keyring.Keeper{}})
//
// Only the key (32 bytes) is in the keyring, because keyrings limit the length
// of secrets (2,560 bytes on Windows), and tokens can be longer.
//
// # Security
//
// The keyring is unlocked when the user logs in to the desktop, and then
// accessible to every program of this user; macOS asks the user for each
// program. Unlike a key file, the key is not readable on disk while the user is
// logged out.
package keyring

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	keyring "github.com/zalando/go-keyring"

	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/secrets"
)

// Keeper is a file.Keeper. The zero value is ready to use.
type Keeper struct {
	// Timeout limits every call, because a keyring without a desktop may wait
	// for a dialog that no user can see. 0: 3 s.
	Timeout time.Duration
}

// ErrUnreachable means that the keyring does not exist or does not respond. It
// is wrapped together with secrets.ErrUnavailable.
var ErrUnreachable = errors.New("the OS keyring cannot be used")

const (
	service        = "mcp-login"
	defaultTimeout = 3 * time.Second
)

// Kind implements file.Keeper.
func (k Keeper) Kind() string { return "OS keyring" }

// Keep puts a key into the keyring.
func (k Keeper) Keep(ctx context.Context, id string, key []byte) (json.RawMessage, error) {
	return nil, k.set(ctx, id, base64.StdEncoding.EncodeToString(key))
}

// Key returns a key from the keyring.
func (k Keeper) Key(ctx context.Context, id string, _ json.RawMessage) ([]byte, error) {
	text, err := k.get(ctx, id)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, fmt.Errorf("%w: the OS keyring has no key %q of %q; another user may have created the store, or the keyring was cleared",
			secrets.ErrUndecryptable, id, service)
	}
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the key %q in the OS keyring was changed", secrets.ErrUndecryptable, id)
	}
	return key, nil
}

// Forget removes a key from the keyring.
func (k Keeper) Forget(ctx context.Context, id string) error {
	err := k.call(ctx, func() error { return keyring.Delete(service, id) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}

// Probe tests the keyring by writing, reading and deleting an entry.
func (k Keeper) Probe(ctx context.Context) error {
	id, want := "probe "+rand.Text(), rand.Text()
	if err := k.set(ctx, id, want); err != nil {
		return err
	}
	got, err := k.get(ctx, id)
	if err == nil && got != want {
		err = fmt.Errorf("%w: the OS keyring returned different data than was stored", secrets.ErrUnavailable)
	}
	return errors.Join(err, k.Forget(ctx, id))
}

func (k Keeper) set(ctx context.Context, id, text string) error {
	return k.call(ctx, func() error { return keyring.Set(service, id, text) })
}

func (k Keeper) get(ctx context.Context, id string) (text string, err error) {
	got := make(chan string, 1)
	err = k.call(ctx, func() error {
		text, err := keyring.Get(service, id)
		got <- text
		return err
	})
	if err != nil {
		return "", err
	}
	return <-got, nil
}

// call runs f with a timeout. If f never returns, its goroutine leaks, because
// go-keyring's calls cannot be canceled.
func (k Keeper) call(ctx context.Context, f func() error) error {
	timeout := k.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	done := make(chan error, 1)
	go func() {
		if err := checkSessionBus(); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	select {
	case err := <-done:
		return classify(err)
	case <-time.After(timeout):
		return &unreachableError{because: "it did not answer within " + printable.Duration(timeout)}
	case <-ctx.Done():
		return ctx.Err()
	}
}

func classify(err error) error {
	if err == nil || errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	return &unreachableError{because(err), err}
}

// unreachableError says in the user's terms why there is no keyring.
type unreachableError struct {
	because string
	cause   error // nil: there was no answer
}

func (e *unreachableError) Error() string { return ErrUnreachable.Error() + ": " + e.because }

func (e *unreachableError) Unwrap() []error {
	all := []error{secrets.ErrUnavailable, ErrUnreachable}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	return all
}
