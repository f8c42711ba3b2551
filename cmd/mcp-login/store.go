package main

import (
	"cmp"
	"context"
	"strings"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// openStore turns --store into a store. It is the one place that knows them
// all, and never falls back from one to another. Only if ask is true may the
// store be a new one, and a person be asked for a passphrase.
func (e *env) openStore(ctx context.Context, o *common, ask bool) (secrets.Store, error) {
	return e.openNamed(ctx, o, o.store, o.keeper, ask)
}

// openNamed opens the store that a name such as file:DIR stands for.
func (e *env) openNamed(ctx context.Context, o *common, name, keeper string, ask bool) (secrets.Store, error) {
	scheme, rest, err := splitStore(name)
	if err != nil {
		return nil, err
	}
	if scheme == "vault" {
		return e.openVault(o, rest)
	}
	if scheme == "keyring" {
		if keeper != "" && keeper != inKeyring {
			return nil, usagef("--store keyring: and --keeper %s contradict each other", keeper)
		}
		keeper = inKeyring
	}
	return e.openFiles(ctx, cmp.Or(rest, o.profileDir), keeper, ask)
}

// splitStore takes the name of a store apart; "" is the default.
func splitStore(name string) (scheme, rest string, err error) {
	scheme, rest, found := strings.Cut(cmp.Or(name, "file:"), ":")
	switch {
	case !found:
		return "", "", usagef("--store %q: give file:DIR, keyring:DIR or vault:MOUNT/PREFIX", name)
	case scheme == "file", scheme == "keyring", scheme == "vault":
		return scheme, rest, nil
	}
	return "", "", usagef("--store %q: there is no store %q, only file:DIR, keyring:DIR and vault:MOUNT/PREFIX", name, scheme)
}

// openFiles opens a store of encrypted files with the keeper that was named,
// else with the one that it was made with.
func (e *env) openFiles(ctx context.Context, dir, keeper string, ask bool) (*file.Store, error) {
	dir, err := e.filesDir(dir)
	if err != nil {
		return nil, err
	}
	if keeper == "" {
		if keeper, err = e.usualKeeper(ctx, dir, ask); err != nil {
			return nil, err
		}
	}
	k, err := e.keeper(keeper, ask)
	if err != nil {
		return nil, err
	}
	return file.Open(file.Config{Dir: dir, Keeper: k})
}

func (e *env) filesDir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	return e.userDir(e.dirs().Data())
}

// filesOf returns the folder of a store of files, and false for other stores.
func (e *env) filesOf(o *common) (dir string, ok bool, err error) {
	scheme, rest, err := splitStore(o.store)
	if err != nil || scheme == "vault" {
		return "", false, err
	}
	dir, err = e.filesDir(cmp.Or(rest, o.profileDir))
	return dir, true, err
}

// storeName says for people where a credential is.
func (e *env) storeName(o *common) (string, error) {
	dir, files, err := e.filesOf(o)
	if err != nil || !files {
		return o.store, err
	}
	return "file:" + dir, nil
}
