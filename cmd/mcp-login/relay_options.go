package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
)

// relayTimeout limits one request to a relay, which holds the requests of waiting
// clients.
const relayTimeout = 45 * time.Second

// relayOptions name the relays that a login may use.
type relayOptions struct {
	urls      cli.StringSlice
	tokenFrom string
}

// addresses are those of the relays, best first.
func (o *relayOptions) addresses() []string { return separated(o.urls) }

// separated splits the values of an option at commas and spaces: its variable has room for
// one value only.
func separated(values cli.StringSlice) (all []string) {
	for _, value := range values.Value() {
		all = append(all, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

func (o *relayOptions) flags() []cli.Flag {
	return grouped(groupBrowser,
		o.flag(),
		stringFlag("relay-token-from", "`SOURCE` of the client token for the relays: file:PATH, env:NAME, command:LINE or prompt", "", &o.tokenFrom),
	)
}

func (o *relayOptions) flag() cli.Flag {
	return &cli.StringSliceFlag{Name: "relay", Usage: "`URL` of your team's relay (see mcp-login relay), for servers without a device flow; repeat it or separate by commas for more, best first", Destination: &o.urls, EnvVars: envVar("relay")}
}

// relayFlows returns a flow for each relay.
func (e *env) relayFlows(o *loginOptions, p prompt) (all []flows.Flow, err error) {
	if len(o.relay.addresses()) == 0 {
		return nil, usagef("--flow: relay needs the address of a relay: add --relay")
	}
	roots, err := o.roots()
	if err != nil {
		return nil, err
	}
	label, _ := os.Hostname() // a claim for people; it may be empty
	for _, url := range o.relay.addresses() {
		if _, err := oauth.CheckURL(url); err != nil {
			return nil, usagef("--relay: %w", err)
		}
		guard := oauth.Guard{Server: url, RootCAs: roots, Proxy: http.ProxyFromEnvironment, Timeout: relayTimeout, Hosts: e.hosts}
		f := &authcode.Relay{
			URL: url, HTTP: guard.Client(), Label: label, ClientName: o.client.name, AssumePKCE: o.browser.assumePKCE,
			Show: func(ctx context.Context, c authcode.RelayCode) { p.ShowCode(ctx, device.Code(c)) },
			Done: func(ctx context.Context, err error) { p.ShowPoll(ctx, device.Poll{Status: relayStatus(err), Err: err}) },
		}
		if o.relay.tokenFrom != "" {
			f.Token = func(ctx context.Context) (string, error) {
				return e.secret(ctx, o.relay.tokenFrom, "client token of the relay")
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// triedRelays replaces each relay by one that was asked whether it can be used.
func triedRelays(ctx context.Context, all []flows.Flow) []flows.Flow {
	all = slices.Clone(all)
	for i, f := range all {
		if r, ok := f.(*authcode.Relay); ok {
			all[i] = r.Tried(ctx)
		}
	}
	return all
}

// relayAddress returns the address of a flow that is a relay; "": it is none.
func relayAddress(f flows.Flow) string {
	if r, ok := f.(interface{ Address() string }); ok {
		return r.Address()
	}
	return ""
}

// relayStatus says how the wait for a relay ended, in the words of the device flow.
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
