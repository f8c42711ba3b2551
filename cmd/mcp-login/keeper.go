package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

// The values of --keeper.
const (
	keyFile    = "key-file"
	passphrase = "passphrase"
	inKeyring  = "keyring"
)

// keeper returns the keeper of a name. What a person or a desktop has given
// once may be remembered in the kernel (see unlock).
func (e *env) keeper(name string, ask bool) (file.Keeper, error) {
	switch name {
	case keyFile:
		dir, err := e.userDir(e.dirs().Keys())
		return file.KeyFile{Dir: dir}, err
	case passphrase:
		from := e.storePassphrase(ask)
		return file.KernelCache{Keeper: file.Passphrase{Read: from.Read("passphrase of the store: "), New: from.Choose()}}, nil
	case inKeyring:
		return file.KernelCache{Keeper: keyring.Keeper{}}, nil
	}
	return nil, usagef("--keeper %q: give key-file, passphrase or keyring", name)
}

// usualKeeper is the keeper where none was named: the one that the store was
// made with, which store.json records. So a store whose keyring is out of reach
// is an error, and never looks like one without a key.
func (e *env) usualKeeper(ctx context.Context, dir string, ask bool) (string, error) {
	kind, err := kindOf(dir)
	if err != nil || kind == "" && !ask {
		return keyFile, nil // the store is broken, or empty: its first use tells
	}
	switch kind {
	case "":
		return e.chooseKeeper(ctx, dir), nil
	case (file.KeyFile{}).Kind():
		return keyFile, nil
	case (file.Passphrase{}).Kind():
		return passphrase, nil
	case (keyring.Keeper{}).Kind():
		return inKeyring, nil
	}
	return "", fmt.Errorf("%w: the key of %s is kept by %q, which this version does not know", secrets.ErrUnavailable, dir, kind)
}

// kindOf returns the kind of keeper that a store was made with, "" if there is
// none yet.
func kindOf(dir string) (string, error) {
	s, err := file.Open(file.Config{Dir: dir, Keeper: file.KeyFile{}})
	if err != nil {
		return "", err
	}
	return s.Kind()
}

// chooseKeeper chooses, once for each store, who keeps the key of a new one:
// the passphrase if one is given, the OS keyring of a desktop if it works,
// else a key file. It says so, since the choice stays.
func (e *env) chooseKeeper(ctx context.Context, dir string) string {
	name, why := e.bestKeeper(ctx)
	e.say("new store in %s, its key kept by: %s, since %s (--keeper names another)", dir, name, why)
	return name
}

func (e *env) bestKeeper(ctx context.Context) (name, why string) {
	if e.storePassphrase(false).Source != "" {
		return passphrase, "one is given"
	}
	if !e.desktop() {
		return keyFile, "this is no desktop session with a keyring"
	}
	if err := (keyring.Keeper{}).Probe(ctx); err != nil {
		e.log.Info().Err(err).Msg("the OS keyring cannot be used")
		return keyFile, "the OS keyring does not work here"
	}
	return inKeyring, "the OS keyring works here"
}

// desktop reports whether there may be a keyring: always on macOS and Windows,
// elsewhere where there is a session bus. One that is reached over SSH ends
// with somebody else's session.
func (e *env) desktop() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return e.getenv("DBUS_SESSION_BUS_ADDRESS") != "" && e.getenv("SSH_CONNECTION") == ""
}
