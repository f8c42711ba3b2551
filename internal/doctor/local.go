package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Local has the certificates, store, agent and relays that a command would use.
type Local struct {
	CACert       string       // PEM file of certificates to trust; "": the system's alone
	Certificates func() error // reads them
	Stores       stores.Opener
	Store        stores.Location
	Vault        bool         // it is configured
	Agent        string       // socket; "": none is used
	Relays       []flows.Flow // that a login would use
	RelayErr     error        // why they are unavailable
}

// Parts returns the parts to check.
func (l Local) Parts(ctx context.Context) []Part {
	parts := append(l.relays(),
		Part{Area: "environment", Check: "certificates", Remedy: "use a PEM file of certificates: --ca-cert FILE", Look: func(context.Context) (string, error) {
			return cmp.Or(l.CACert, "the system's"), l.Certificates()
		}},
		Part{Area: "store", Check: "store", Remedy: suggest.MCPLogin("store", "status").String(), Look: l.store},
	)
	for _, u := range l.Stores.Usable(ctx, l.Vault) {
		parts = append(parts, Part{Area: "store", Check: u.What, Optional: true, Remedy: u.Remedy, Look: func(context.Context) (string, error) { return u.Detail, u.Err }})
	}
	return append(parts, Part{Area: "agent", Check: "agent", Remedy: "start it with mcp-login agent, or unset MCP_LOGIN_AGENT_SOCK", Look: l.agent})
}

// relays returns the parts for the relays of a login.
func (l Local) relays() (parts []Part) {
	part := func(look func(context.Context) (string, error)) Part {
		return Part{Area: "environment", Check: "relay", Remedy: "check --relay and --relay-token-from, and whether the relay is running", Look: look}
	}
	if l.RelayErr != nil {
		return []Part{part(func(context.Context) (string, error) { return "", l.RelayErr })}
	}
	for _, r := range l.Relays {
		parts = append(parts, part(func(ctx context.Context) (string, error) {
			relay := r.(*authcode.Relay)
			return relay.Address() + " answers", relay.Reach(ctx)
		}))
	}
	if len(parts) == 0 {
		parts = append(parts, part(func(context.Context) (string, error) { return "none is configured", nil }))
	}
	return parts
}

// store tests the store of the options.
func (l Local) store(ctx context.Context) (string, error) {
	name, err := l.Stores.Name(l.Store)
	if err != nil {
		return "", err
	}
	at, err := l.Stores.Inspect(ctx, l.Store)
	if errors.Is(err, stores.ErrNoStore) || err == nil && at.Path != "" && at.Keeper == "" {
		return name + ": created by the first sign-in", nil
	}
	if err != nil {
		return name, err
	}
	store, err := l.Stores.Open(ctx, l.Store, false)
	if err != nil {
		return name, err
	}
	names, err := store.List(ctx)
	if err != nil {
		return name, err
	}
	return fmt.Sprintf("%s: usable, with %s", name, printable.Count(len(names), "credential")), stores.Probe(ctx, store)
}

func (l Local) agent(ctx context.Context) (string, error) {
	if l.Agent == "" {
		return "none is used", nil
	}
	names, err := (&agent.Client{Socket: l.Agent}).Profiles(ctx)
	return fmt.Sprintf("%s keeps %s", l.Agent, printable.Count(len(names), "credential")), err
}
