package signin

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/oauth"
)

// RelayTimeout limits one request to a relay, which holds the requests of waiting
// clients.
const RelayTimeout = 45 * time.Second

// Relays returns a flow for each relay.
func (s SignIn) Relays() (all []flows.Flow, err error) {
	if len(s.Relay.URLs) == 0 {
		return nil, exit.Usagef("--flow relay requires the URL of a relay; add --relay URL")
	}
	label, _ := os.Hostname() // for display; may be empty
	for _, url := range s.Relay.URLs {
		if _, err := oauth.CheckURL(url); err != nil {
			return nil, exit.Usagef("--relay: %w", err)
		}
		f := &authcode.Relay{
			URL: url, HTTP: s.RelayClient(url), Label: label, ClientName: s.Client.Name, AssumePKCE: s.Browser.AssumePKCE,
			Show: func(ctx context.Context, c authcode.RelayCode) { s.prompt.ShowCode(ctx, device.Code(c)) },
			Done: func(ctx context.Context, err error) {
				s.prompt.ShowPoll(ctx, device.Poll{Status: relayStatus(err), Err: err})
			},
		}
		if s.Relay.TokenFrom != "" {
			f.Token = func(ctx context.Context) (string, error) {
				return s.Secret(ctx, s.Relay.TokenFrom, "client token of the relay")
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// tryRelays replaces each relay by the result of Relay.Tried.
func tryRelays(ctx context.Context, all []flows.Flow) []flows.Flow {
	all = slices.Clone(all)
	for i, f := range all {
		if r, ok := f.(*authcode.Relay); ok {
			all[i] = r.Tried(ctx)
		}
	}
	return all
}

// RelayAddress returns the URL of a relay flow; "" for other flows.
func RelayAddress(f flows.Flow) string {
	if r, ok := f.(interface{ Address() string }); ok {
		return r.Address()
	}
	return ""
}

// relayStatus returns the outcome of the wait for a relay as a status of the device
// flow.
func relayStatus(err error) device.Status {
	switch {
	case err == nil:
		return device.Approved
	case errors.Is(err, flows.ErrDenied):
		return device.Denied
	case errors.Is(err, flows.ErrExpired):
		return device.Expired
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return device.Cancelled
	}
	return device.Failed
}
