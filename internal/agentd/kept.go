package agentd

import (
	"context"
	"fmt"
	"slices"
	"sync"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/secrets"
)

// Settings are the settings of profiles in the configuration.
type Settings struct {
	Profiles []string                              // those with their own settings
	Of       func(profile string) (Options, error) // the options of one profile
}

// Options say in which store a profile is, and how it is kept fresh.
type Options struct {
	All   string // all of these settings, for comparison
	Store string // the part of All that selects the store

	Open   func(context.Context) (store secrets.Store, end func(), err error) // keeps the store usable until end
	Config func(secrets.Store) (mcplogin.Config, error)
}

// Kept are the profiles that an agent keeps, each with the settings of the
// configuration.
type Kept struct {
	Named []string // none: all that are stored
	Base  Options  // of profiles without their own settings
	Store secrets.Store
	Read  func() (Settings, error) // reads the configuration

	ctx      context.Context // of the agent; ends what keeps stores usable
	mu       sync.Mutex      // guards what follows
	settings Settings
	places   map[string]place // by Options.All
	ends     []func()
}

// place is the open store of profiles with the same options.
type place struct {
	cfg   mcplogin.Config
	store secrets.Store
}

// Start reads the configuration. Until ctx is done, stores stay usable.
func (k *Kept) Start(ctx context.Context) error {
	for _, name := range k.Named {
		if err := secrets.CheckName(name); err != nil {
			return fmt.Errorf("profile %q: %w", name, err)
		}
	}
	k.ctx, k.places = ctx, map[string]place{}
	return k.Reload()
}

// Close ends what keeps the stores usable.
func (k *Kept) Close() {
	for _, end := range k.ends {
		end()
	}
}

// Reload reads the configuration again.
func (k *Kept) Reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.Read()
	if err == nil {
		k.settings = s
	}
	return err
}

// Profiles is a Config.Profiles: the profiles of the command line, else all that
// are stored in the common store or in their own.
func (k *Kept) Profiles(ctx context.Context) ([]string, error) {
	if len(k.Named) > 0 {
		return k.Named, nil
	}
	names, err := k.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range k.settings.Profiles {
		if k.isStored(ctx, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// isStored reports whether a profile is in its own store. It returns true if
// that store cannot be read, so that the agent reports the error.
func (k *Kept) isStored(ctx context.Context, name string) bool {
	own, special, err := k.place(name)
	if err != nil {
		return true
	}
	if !special || own.store == k.Store {
		return false
	}
	stored, err := own.store.List(ctx)
	return err != nil || slices.Contains(stored, name)
}

// Adapt is a Config.Adapt.
func (k *Kept) Adapt(name string, cfg *mcplogin.Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	own, special, err := k.place(name)
	if err == nil && special {
		*cfg = own.cfg
	}
	return err
}

// place returns the store and session configuration of a profile, and false if
// it uses the common ones. Profiles with the same options share one store.
func (k *Kept) place(name string) (own place, special bool, err error) {
	o, err := k.settings.Of(name)
	if err != nil || o.All == k.Base.All {
		return own, false, err
	}
	if own, opened := k.places[o.All]; opened {
		return own, true, nil
	}
	own.store = k.Store
	if o.Store != k.Base.Store {
		store, end, err := o.Open(k.ctx)
		if err != nil {
			return own, true, err
		}
		own.store = store
		k.ends = append(k.ends, end)
	}
	if own.cfg, err = o.Config(own.store); err == nil {
		k.places[o.All] = own
	}
	return own, true, err
}
