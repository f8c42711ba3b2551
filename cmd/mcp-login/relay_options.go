package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/signin"
)

// separated splits the values of an option at commas and spaces: its variable has room for
// one value only.
func separated(values cli.StringSlice) (all []string) {
	for _, value := range values.Value() {
		all = append(all, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

// relayFlags name the relays that a login may use.
func relayFlags(o *signin.Relay, urls *cli.StringSlice) []cli.Flag {
	return grouped(groupBrowser,
		relayFlag(urls),
		stringFlag("relay-token-from", "`SOURCE` of the client token for the relays: file:PATH, env:NAME, command:LINE or prompt", "", &o.TokenFrom),
	)
}

func relayFlag(urls *cli.StringSlice) cli.Flag {
	return &cli.StringSliceFlag{Name: "relay", Usage: "`URL` of your team's relay (see mcp-login relay), for servers without a device flow; repeat it or separate by commas for more, best first", Destination: urls, EnvVars: envVar("relay")}
}
