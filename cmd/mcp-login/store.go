package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// openStore turns --store into a store. It is the one place that knows them
// all, and never falls back from one to another. A person may be asked for a
// passphrase only if ask is true.
func (e *env) openStore(o *common, ask bool) (secrets.Store, error) {
	scheme, rest, found := strings.Cut(cmp.Or(o.store, "file:"), ":")
	if !found {
		return nil, usagef("--store %q: give file:DIR or vault:MOUNT/PREFIX", o.store)
	}
	switch scheme {
	case "file":
		return e.openFiles(cmp.Or(rest, o.profileDir), o.keeper, ask)
	case "vault":
		return e.openVault(o, rest)
	}
	return nil, usagef("--store %q: there is no store %q, only file:DIR and vault:MOUNT/PREFIX", o.store, scheme)
}

// caution tells what a store cannot promise, before a credential goes there.
func (e *env) caution(ctx context.Context, store secrets.Store) error {
	c, ok := store.(interface {
		Caution(context.Context) (string, error)
	})
	if !ok {
		return nil
	}
	text, err := c.Caution(ctx)
	if err == nil && text != "" {
		fmt.Fprintf(e.err, "caution: %s\n", text)
	}
	return err
}

func (e *env) openFiles(dir, keeper string, ask bool) (secrets.Store, error) {
	if dir == "" {
		var err error
		if dir, err = e.dataDir(); err != nil {
			return nil, err
		}
	}
	k, err := e.keeper(cmp.Or(keeper, e.usualKeeper(dir, ask)), ask)
	if err != nil {
		return nil, err
	}
	return file.Open(file.Config{Dir: dir, Keeper: k})
}

// The values of --keeper.
const (
	keyFile    = "key-file"
	passphrase = "passphrase"
)

func (e *env) keeper(name string, ask bool) (file.Keeper, error) {
	switch name {
	case keyFile:
		dir, err := e.keyDir()
		return file.KeyFile{Dir: dir}, err
	case passphrase:
		return file.Passphrase{Read: e.passphrase(ask, "passphrase of the store: "), New: e.newPassphrase(ask)}, nil
	}
	return nil, usagef("--keeper %q: give key-file or passphrase", name)
}

// usualKeeper is the keeper where none was named: the passphrase if one is
// given by the environment or, for a person, if the store was made with one.
func (e *env) usualKeeper(dir string, ask bool) string {
	for _, name := range []string{"MCP_LOGIN_PASSPHRASE", "MCP_LOGIN_PASSPHRASE_FILE", "MCP_LOGIN_PASSPHRASE_COMMAND"} {
		if e.getenv(name) != "" {
			return passphrase
		}
	}
	if ask && keeperOf(dir) == (file.Passphrase{}).Kind() {
		return passphrase
	}
	return keyFile
}

// keeperOf returns the kind of keeper that a store was made with, "" if there
// is none yet. What is wrong with the store shows when it is used.
func keeperOf(dir string) string {
	s, err := file.Open(file.Config{Dir: dir, Keeper: file.KeyFile{}})
	if err != nil {
		return ""
	}
	st, err := s.Status(context.Background())
	if err != nil {
		return ""
	}
	return st.Keeper
}

// storeName says for people where a credential is.
func (e *env) storeName(o *common) (string, error) {
	if o.store != "" && o.store != "file:" {
		return o.store, nil
	}
	dir := o.profileDir
	var err error
	if dir == "" {
		dir, err = e.dataDir()
	}
	return "file:" + dir, err
}
