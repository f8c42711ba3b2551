package stores

import (
	"context"
	"fmt"
	"runtime"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

// The names of the keepers.
const (
	KeyFile    = "key-file"
	Passphrase = "passphrase"
	Keyring    = "keyring"
)

// Choice is the keeper of a new store. It is permanent.
type Choice struct {
	Dir    string // "": the store is not new
	Keeper string
	Why    string
	Err    error // why the OS keyring cannot be used, if it was tried
}

// keeper returns the keeper with a name. The kernel may cache a key that was
// unlocked before.
func (o Opener) keeper(name string, ask bool) (file.Keeper, error) {
	switch name {
	case KeyFile:
		dir, err := o.Dirs.Writable(o.Dirs.Keys())
		return file.KeyFile{Dir: dir}, err
	case Passphrase:
		return o.passphraseKeeper(o.Passphrase, "passphrase of the store: ", ask), nil
	case Keyring:
		return file.KernelCache{Keeper: keyring.Keeper{}}, nil
	}
	return nil, optionf("--keeper %q: use key-file, passphrase or keyring", name)
}

func (o Opener) passphraseKeeper(source, question string, ask bool) file.Keeper {
	from := secretref.Passphrase{Reader: o.Secrets, Source: source, MayAsk: ask}
	var chosen []byte // do not ask a third time after it was chosen
	read := func(ctx context.Context) ([]byte, error) {
		if chosen != nil {
			return chosen, nil
		}
		return from.Read(question)(ctx)
	}
	choose := func(ctx context.Context) (text []byte, err error) {
		if text, err = from.Choose("new passphrase: ")(ctx); err == nil {
			chosen = text
		}
		return text, err
	}
	return file.KernelCache{Keeper: file.Passphrase{Read: read, New: choose}}
}

// usualKeeper returns the keeper if none was named: the one recorded in
// store.json. So a store whose keyring is unavailable is an error, and never
// looks like one without a key.
func (o Opener) usualKeeper(ctx context.Context, dir string, ask bool) (Choice, error) {
	kind, err := kindOf(dir)
	if err != nil || kind == "" && !ask {
		return Choice{Keeper: KeyFile}, nil // the store is broken or empty: its first use reports that
	}
	switch kind {
	case "":
		c := o.choose(ctx)
		c.Dir = dir
		return c, nil
	case (file.KeyFile{}).Kind():
		return Choice{Keeper: KeyFile}, nil
	case (file.Passphrase{}).Kind():
		return Choice{Keeper: Passphrase}, nil
	case (keyring.Keeper{}).Kind():
		return Choice{Keeper: Keyring}, nil
	}
	return Choice{}, fmt.Errorf("%w: the key of %s is kept by %q, which this version does not support", secrets.ErrUnavailable, dir, kind)
}

// NoKeyringError means that no keyring is available for the key of a new store.
type NoKeyringError struct{ Err error }

func (e *NoKeyringError) Error() string { return "a new store: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *NoKeyringError) Unwrap() error { return e.Err }

// newInKeyring tests the keyring before a new store is created that needs it.
func newInKeyring(ctx context.Context, dir string) error {
	if kind, err := kindOf(dir); err != nil || kind != "" {
		return nil // the store has a key, or is broken, which its first use reports
	}
	if err := (keyring.Keeper{}).Probe(ctx); err != nil {
		return &NoKeyringError{err}
	}
	return nil
}

// kindOf returns the kind of keeper of a store; "" if the store does not exist
// yet.
func kindOf(dir string) (string, error) {
	s, err := file.Open(file.Config{Dir: dir, Keeper: file.KeyFile{}})
	if err != nil {
		return "", err
	}
	return s.Kind()
}

// choose returns the keeper for a new store: a passphrase if one is set, the OS
// keyring of a desktop if it works, else a key file.
func (o Opener) choose(ctx context.Context) Choice {
	if o.Passphrase != "" {
		return Choice{Keeper: Passphrase, Why: "one is set"}
	}
	if !o.desktop() {
		return Choice{Keeper: KeyFile, Why: "this is not a desktop session with a keyring"}
	}
	if err := (keyring.Keeper{}).Probe(ctx); err != nil {
		return Choice{Keeper: KeyFile, Why: "the OS keyring does not work here", Err: err}
	}
	return Choice{Keeper: Keyring, Why: "the OS keyring works here"}
}

// desktop reports whether a keyring may be available: on macOS and Windows
// always, on other systems with a session bus and without SSH, because a session
// bus reached over SSH belongs to another session.
func (o Opener) desktop() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	getenv := o.Dirs.Getenv
	return getenv("DBUS_SESSION_BUS_ADDRESS") != "" && getenv("SSH_CONNECTION") == ""
}

// Rekey encrypts a store of files with a new key. It returns the folder and the
// keeper of the new key, by default the one of the old key. Before a weaker keeper gets
// it, agree is asked, whose error ends it.
func (o Opener) Rekey(ctx context.Context, at Location, agree func(Weaker) error) (dir, keeper string, err error) {
	dir, err = o.existing(at, "rekey", "has a different key")
	if err != nil {
		return "", "", err
	}
	usual, err := o.usualKeeper(ctx, dir, true)
	if err != nil {
		return "", "", err
	}
	name := usual.Keeper
	old, err := o.keeper(name, true)
	if err != nil {
		return "", "", err
	}
	if at.Keeper != "" {
		name = at.Keeper
	}
	next, err := o.nextKeeper(ctx, name)
	if err != nil {
		return "", "", err
	}
	if err := o.agreed(at, old, next, agree); err != nil {
		return "", "", err
	}
	s, err := file.Open(file.Config{Dir: dir, Keeper: old})
	if err != nil {
		return "", "", err
	}
	return dir, name, s.Rekey(ctx, next)
}

// agreed asks whether a weaker keeper may keep the key of a store.
func (o Opener) agreed(at Location, old, next file.Keeper, agree func(Weaker) error) error {
	w, err := o.compare(at, at, old.Kind(), next.Kind())
	if err != nil || len(w.ReadableBy) == 0 {
		return err
	}
	return agree(w)
}

// nextKeeper returns the keeper of the new key. It tests a keyring first,
// because afterward only the keyring has the key.
func (o Opener) nextKeeper(ctx context.Context, name string) (file.Keeper, error) {
	switch name {
	case Passphrase:
		return o.passphraseKeeper(o.NextPassphrase, "new passphrase: ", true), nil
	case Keyring:
		if err := (keyring.Keeper{}).Probe(ctx); err != nil {
			return nil, err
		}
	}
	return o.keeper(name, true)
}

// existing returns the folder of a store of files that exists.
func (o Opener) existing(at Location, verb, only string) (string, error) {
	dir, files, err := o.Folder(at)
	if err != nil {
		return "", err
	}
	if !files {
		return "", optionf("--store %s: only a file store %s", at.Store, only)
	}
	kind, err := kindOf(dir)
	if err == nil && kind == "" {
		err = fmt.Errorf("%s %s: %w", verb, dir, ErrNoStore)
	}
	return dir, err
}
