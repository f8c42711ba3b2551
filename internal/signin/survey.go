package signin

import (
	"context"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
)

// Suited returns the flows that suit this place, best first. The browser flow is always
// among them, to be shown with its reason.
func (s SignIn) Suited(ctx context.Context) ([]flows.Flow, error) {
	here := s.Here()
	names := here.Order
	if !here.Browser {
		names = append(slices.Clone(names), "browser")
	}
	return s.tried(ctx, names)
}

// Possible returns the flows that can run outside of a CI job.
func (s SignIn) Possible(ctx context.Context) ([]flows.Flow, error) {
	return s.tried(ctx, slices.DeleteFunc(strings.Split(FlowNames, ", "), func(name string) bool {
		return name == "ci" || name == "relay" && !s.Here().Relay
	}))
}

// tried returns the flows of these names. Relays are the results of Relay.Tried.
func (s SignIn) tried(ctx context.Context, names []string) ([]flows.Flow, error) {
	all, err := s.flows(names)
	return tryRelays(ctx, all), err
}
