package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/secrets"
)

// kept are the profiles that an agent keeps, each as the configuration has it.
type kept struct {
	ctx   context.Context // the agent's own: it ends what keeps stores alive
	env   *env
	named []string // none: all that are stored
	base  options  // of those that the configuration says nothing special of
	store secrets.Store

	mu     sync.Mutex // guards what follows, and env
	places map[options]place
	ends   []func()
}

// options are all that decides where and how a profile is kept.
type options struct {
	common
	others string // the settings that have no flag
}

// place is where profiles of the same options are kept.
type place struct {
	cfg   mcplogin.Config
	store secrets.Store
}

func newKept(ctx context.Context, e *env, o *common, store secrets.Store, named []string) *kept {
	k := &kept{ctx: ctx, env: e, named: named, base: optionsOf(e, o), store: store, places: map[options]place{}}
	k.ends = append(k.ends, e.keepAlive(ctx, store))
	return k
}

func optionsOf(e *env, o *common) options {
	var others []string
	for _, key := range slices.Sorted(maps.Keys(withoutFlag)) {
		others = append(others, e.setting(key))
	}
	return options{*o, strings.Join(others, "\x00")}
}

// close ends what keeps the stores alive.
func (k *kept) close() {
	for _, end := range k.ends {
		end()
	}
}

// reload reads the configuration again.
func (k *kept) reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	file, err := k.env.readConfig()
	if err == nil {
		env := *k.env
		env.file = file
		k.env = &env
	}
	return err
}

// names returns the profiles that are stored, in the store of all or in their
// own, unless the command line names those to be kept.
func (k *kept) names(ctx context.Context) ([]string, error) {
	if len(k.named) > 0 {
		return k.named, nil
	}
	names, err := k.store.List(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range k.env.file.Profiles() {
		if k.isStored(ctx, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// isStored reports whether a profile is in a separate store. One whose store
// cannot be read counts: the agent says what is wrong with it, and keeps the
// others.
func (k *kept) isStored(ctx context.Context, name string) bool {
	own, special, err := k.config(name)
	if err != nil {
		return true
	}
	if !special || own.store == k.store {
		return false
	}
	stored, err := own.store.List(ctx)
	return err != nil || slices.Contains(stored, name)
}

// adapt is agent.Config's Adapt.
func (k *kept) adapt(name string, cfg *mcplogin.Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	own, special, err := k.config(name)
	if err == nil && special {
		*cfg = own.cfg
	}
	return err
}

// config returns what a profile's session is opened with, and false if that is
// what all are. Profiles of the same options share one store.
func (k *kept) config(name string) (own place, special bool, err error) {
	e, o, err := k.env.forProfile(name)
	if err != nil {
		return own, false, err
	}
	at := optionsOf(e, o)
	if at == k.base {
		return own, false, nil
	}
	if own, opened := k.places[at]; opened {
		return own, true, nil
	}
	own.store = k.store
	if !at.sameStore(k.base) {
		if own.store, err = e.openStore(k.ctx, o, false); err != nil {
			return own, true, err
		}
		k.ends = append(k.ends, e.keepAlive(k.ctx, own.store))
	}
	if own.cfg, err = e.config(o, source{store: own.store}, ""); err == nil {
		k.places[at] = own
	}
	return own, true, err
}

func (o options) sameStore(other options) bool {
	return o.store == other.store && o.profileDir == other.profileDir && o.keeper == other.keeper && o.caCert == other.caCert && o.others == other.others
}
