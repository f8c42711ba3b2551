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

// place is a location taken apart.
type place struct {
	scheme string
	rest   string // of the name of a store in Vault
	dir    string // of a store of files; "": it is in Vault
	keeper string // that was named
}

// find takes a location apart.
func (o Opener) find(at Location) (place, error) {
	p := place{keeper: at.Keeper}
	var found bool
	if p.scheme, p.rest, found = strings.Cut(cmp.Or(at.Store, "file:"), ":"); !found {
		return p, optionf("--store %q: use file:DIR, keyring:DIR or vault:MOUNT/PREFIX", at.Store)
	}
	var err error
	switch p.scheme {
	case "vault":
	case "file", "keyring":
		if p.dir = cmp.Or(p.rest, at.ProfileDir); p.dir == "" {
			p.dir, err = o.Dirs.Writable(o.Dirs.Data())
		}
	default:
		err = optionf("--store %q: unknown kind %q; use file:DIR, keyring:DIR or vault:MOUNT/PREFIX", at.Store, p.scheme)
	}
	return p, err
}

// Open opens a store. It never falls back from one to another. Only if ask is
// true, the store may be new, and the user may be prompted for a passphrase.
func (o Opener) Open(ctx context.Context, at Location, ask bool) (secrets.Store, error) {
	p, err := o.find(at)
	if err != nil {
		return nil, err
	}
	return o.open(ctx, p, ask)
}

func (o Opener) open(ctx context.Context, p place, ask bool) (secrets.Store, error) {
	switch {
	case p.dir == "":
		return o.openVault(p.rest)
	case p.scheme != "keyring":
	case p.keeper != "" && p.keeper != Keyring:
		return nil, optionf("--store keyring: and --keeper %s cannot be used together", p.keeper)
	default:
		p.keeper = Keyring
	}
	return o.openFiles(ctx, p.dir, p.keeper, ask)
}

// openExisting opens a store that exists already, and may ask the user for its
// passphrase. It creates no store.
func (o Opener) openExisting(ctx context.Context, at Location) (secrets.Store, error) {
	p, err := o.find(at)
	if err != nil {
		return nil, err
	}
	exists := true
	if p.dir != "" {
		kind, err := kindOf(p.dir)
		if err != nil {
			return nil, err
		}
		exists = kind != ""
	}
	return o.open(ctx, p, exists)
}

// openFolder opens a store of files to list it, which takes no key.
func (o Opener) openFolder(ctx context.Context, dir string) (*file.Store, error) {
	return o.openFiles(ctx, dir, KeyFile, false)
}

// ListFolder lists a store of files. That takes no key. A store that is a network away
// is not asked.
func (o Opener) ListFolder(ctx context.Context, at Location) ([]string, error) {
	dir, files, err := o.Folder(at)
	if err != nil || !files {
		return nil, err
	}
	s, err := o.openFolder(ctx, dir)
	if err != nil {
		return nil, err
	}
	return s.List(ctx)
}

// openFiles opens a file store with the named keeper, else with its own.
func (o Opener) openFiles(ctx context.Context, dir, keeper string, ask bool) (*file.Store, error) {
	usual, err := Choice{Keeper: keeper}, error(nil)
	switch {
	case keeper == "":
		usual, err = o.usualKeeper(ctx, dir, ask)
	case keeper == Keyring && ask:
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
	p, err := o.find(at)
	return p.dir, err == nil && p.dir != "", err
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
