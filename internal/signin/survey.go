package signin

import (
	"context"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
)

// Suited returns the flows that suit this place, best first, and what was found about
// the place. The browser flow is always among them, to be shown with its reason.
func (e Place) Suited(ctx context.Context, o *Options) ([]flows.Flow, flows.Detection, error) {
	here := flows.Detect(e.Environment(o))
	names := here.Order
	if !here.Browser {
		names = append(slices.Clone(names), "browser")
	}
	all, err := e.tried(ctx, o, names)
	return all, here, err
}

// Possible returns the flows that can run outside of a CI job, and what was found about
// the place.
func (e Place) Possible(ctx context.Context, o *Options) ([]flows.Flow, flows.Detection, error) {
	here := flows.Detect(e.Environment(o))
	names := slices.DeleteFunc(strings.Split(FlowNames, ", "), func(name string) bool { return name == "ci" || name == "relay" && !here.Relay })
	all, err := e.tried(ctx, o, names)
	return all, here, err
}

// tried returns the flows of these names. Each relay was asked whether it can be used.
func (e Place) tried(ctx context.Context, o *Options, names []string) ([]flows.Flow, error) {
	options := *o
	options.Flow = strings.Join(names, ",")
	all, err := e.Flows(&options)
	return tryRelays(ctx, all), err
}
