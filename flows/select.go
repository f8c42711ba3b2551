package flows

import (
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/oauth"
)

// Choice is a flow at an authorization server. Err is the result of the flow's
// Check; nil: it can be used.
type Choice struct {
	Flow   Flow
	Server oauth.Server
	Err    error
}

// Survey returns every flow at every server, in order of preference: all
// servers for the first flow, then all servers for the next. A resource may
// list one server for browsers and another for devices (RFC 9728 §7.6).
func Survey(servers []oauth.Server, prefer ...Flow) []Choice {
	choices := make([]Choice, 0, len(servers)*len(prefer))
	for _, f := range prefer {
		for _, s := range servers {
			choices = append(choices, Choice{Flow: f, Server: s, Err: f.Check(s)})
		}
	}
	return choices
}

// Select returns the usable choices, best first, or an error that wraps
// ErrUnsupported with the reason for each flow and server.
func Select(servers []oauth.Server, prefer ...Flow) ([]Choice, error) {
	var usable []Choice
	var why []error
	for _, c := range Survey(servers, prefer...) {
		if c.Err == nil {
			usable = append(usable, c)
			continue
		}
		why = append(why, fmt.Errorf("%s at %s: %w", c.Flow.Name(), c.Server.Issuer, c.Err))
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("no sign-in flow can be used: %w", errors.Join(append(why, ErrUnsupported)...))
	}
	return usable, nil
}
