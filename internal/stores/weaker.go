package stores

import (
	"cmp"
	"context"
	"slices"

	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

// Weaker says why a store protects less than another.
type Weaker struct {
	From, To   Kept
	ReadableBy []string // who can read the records there but not here; none: not weaker
}

// Kept is a store and what keeps its key, for people.
type Kept struct {
	Store  string
	Keeper string // "": Vault, which needs none
}

// inVault represents Vault among the kinds of keepers.
const inVault = "Vault"

// strongest to weakest.
func strength() []string {
	return []string{inVault, file.Passphrase{}.Kind(), keyring.Keeper{}.Kind(), file.KeyFile{}.Kind()}
}

// weaker compares two stores. For a new store it uses the keeper that it would
// get.
func (o Opener) weaker(ctx context.Context, from, to Location) (w Weaker, err error) {
	before, err := o.kindAt(ctx, from)
	if err != nil {
		return w, err
	}
	after, err := o.kindAt(ctx, to)
	if err != nil {
		return w, err
	}
	return o.compare(from, to, before, after)
}

// compare compares two stores by what keeps their keys.
func (o Opener) compare(from, to Location, before, after string) (w Weaker, err error) {
	if slices.Index(strength(), after) <= slices.Index(strength(), before) {
		return w, nil
	}
	if w.From, err = o.kept(from, before); err != nil {
		return w, err
	}
	if w.To, err = o.kept(to, after); err != nil {
		return w, err
	}
	_, could := protection(before)
	_, can := protection(after)
	w.ReadableBy = slices.DeleteFunc(can, func(who string) bool { return slices.Contains(could, who) })
	return w, nil
}

// kept returns the name of a store and of the keeper of its key.
func (o Opener) kept(at Location, kind string) (Kept, error) {
	name, err := o.Name(at)
	if kind == inVault {
		return Kept{Store: name}, err
	}
	return Kept{o.Dirs.Tilde(name), kind}, err
}

// kindAt returns the kind of keeper of a store, for a new store the one that it
// would get.
func (o Opener) kindAt(ctx context.Context, at Location) (string, error) {
	p, err := o.find(at)
	if err != nil {
		return "", err
	}
	if p.dir == "" {
		return inVault, nil
	}
	kind, err := kindOf(p.dir)
	if err != nil || kind != "" {
		return kind, err
	}
	name := p.keeper
	if p.scheme == "keyring" {
		name = cmp.Or(name, Keyring)
	}
	if name == "" {
		name = o.choose(ctx).Keeper
	}
	k, err := o.keeper(name, false)
	if err != nil {
		return "", err
	}
	return k.Kind(), nil
}
