// Package stores opens and inspects the store that --store, --keeper and the
// environment name. It must not know the command line, the configuration file or
// the terminal: it gets plain values, and returns what to report.
package stores

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// OptionError means that an option does not name a store or keeper.
type OptionError struct{ Err error }

func (e *OptionError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *OptionError) Unwrap() error { return e.Err }

func optionf(format string, a ...any) error { return &OptionError{fmt.Errorf(format, a...)} }

// ErrNoStore reports that a store does not exist yet.
var ErrNoStore = fmt.Errorf("%w: no store exists yet", secrets.ErrUnavailable)

// Location names a store, as the flags do. The zero value is the default store.
type Location struct {
	Store      string // file:DIR, keyring:DIR or vault:MOUNT/PREFIX
	ProfileDir string // folder of a file store if Store names none
	Keeper     string // keeper of the key; "": the one that the store has
}

// Opener opens stores.
type Opener struct {
	Dirs           paths.Dirs
	Secrets        secretref.Reader
	Passphrase     string // source of the passphrase; "": the user types it
	NextPassphrase string // likewise, for the new key of Rekey
	Vault          Vault
	Created        func(Choice) // called for a new store
}

// Open opens a store. It never falls back from one to another. Only if ask is
// true, the store may be new, and the user may be prompted for a passphrase.
func (o Opener) Open(ctx context.Context, at Location, ask bool) (secrets.Store, error) {
	scheme, rest, err := Split(at.Store)
	if err != nil {
		return nil, err
	}
	if scheme == "vault" {
		return o.openVault(rest)
	}
	return o.openFiles(ctx, at, ask)
}

// OpenExisting opens a store that exists already, and may ask the user for its
// passphrase. It creates no store.
func (o Opener) OpenExisting(ctx context.Context, at Location) (secrets.Store, error) {
	dir, files, err := o.Folder(at)
	if err != nil || !files {
		if err != nil {
			return nil, err
		}
		return o.Open(ctx, at, true)
	}
	kind, err := kindOf(dir)
	if err != nil {
		return nil, err
	}
	return o.Open(ctx, at, kind != "")
}

// OpenFolder opens a file store to list it, which needs no key.
func (o Opener) OpenFolder(ctx context.Context, dir string) (*file.Store, error) {
	return o.openFiles(ctx, Location{ProfileDir: dir, Keeper: KeyFile}, false)
}

// Split splits the name of a store; "" is the default.
func Split(name string) (scheme, rest string, err error) {
	scheme, rest, found := strings.Cut(cmp.Or(name, "file:"), ":")
	switch {
	case !found:
		return "", "", optionf("--store %q: use file:DIR, keyring:DIR or vault:MOUNT/PREFIX", name)
	case scheme == "file", scheme == "keyring", scheme == "vault":
		return scheme, rest, nil
	}
	return "", "", optionf("--store %q: unknown kind %q; use file:DIR, keyring:DIR or vault:MOUNT/PREFIX", name, scheme)
}

// openFiles opens a file store with the named keeper, else with its own.
func (o Opener) openFiles(ctx context.Context, at Location, ask bool) (*file.Store, error) {
	scheme, _, err := Split(at.Store)
	if err != nil {
		return nil, err
	}
	name := at.Keeper
	if scheme == "keyring" {
		if name != "" && name != Keyring {
			return nil, optionf("--store keyring: and --keeper %s cannot be used together", name)
		}
		name = Keyring
	}
	dir, _, err := o.Folder(at)
	if err != nil {
		return nil, err
	}
	usual := Choice{Keeper: name}
	switch {
	case name == "":
		usual, err = o.usualKeeper(ctx, dir, ask)
	case name == Keyring && ask:
		err = newInKeyring(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	k, err := o.keeper(usual.Keeper, ask)
	if err != nil {
		return nil, err
	}
	return file.Open(file.Config{Dir: dir, Keeper: k, Created: func() {
		if usual.Dir != "" {
			o.Created(usual)
		}
	}})
}

// Folder returns the folder of a store of files, and false for other stores.
func (o Opener) Folder(at Location) (dir string, files bool, err error) {
	scheme, rest, err := Split(at.Store)
	if err != nil || scheme == "vault" {
		return "", false, err
	}
	if dir := cmp.Or(rest, at.ProfileDir); dir != "" {
		return dir, true, nil
	}
	dir, err = o.Dirs.Writable(o.Dirs.Data())
	return dir, true, err
}

// Name returns the full name of a store, for display.
func (o Opener) Name(at Location) (string, error) {
	dir, files, err := o.Folder(at)
	if err != nil || !files {
		return at.Store, err
	}
	return "file:" + dir, nil
}

// Same reports whether two locations are the same store. A move within a store
// would deadlock.
func (o Opener) Same(a, b Location) (bool, error) {
	var names [2]string
	for i, at := range []Location{a, b} {
		dir, files, err := o.Folder(at)
		if err != nil {
			return false, err
		}
		if !files {
			names[i] = strings.TrimRight(at.Store, "/")
			continue
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return false, err
		}
		if real, err := filepath.EvalSymlinks(dir); err == nil { // it need not exist yet
			dir = real
		}
		names[i] = dir
	}
	return names[0] == names[1], nil
}

// Probe tests whether a store is writable.
func Probe(ctx context.Context, s secrets.Store) error {
	if p, ok := s.(interface{ Probe(context.Context) error }); ok {
		return p.Probe(ctx)
	}
	return nil
}
