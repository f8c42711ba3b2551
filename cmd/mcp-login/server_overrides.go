package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// serverOverrides are what a person must say about servers that do not follow, or do
// not say, what the specification wants. They are stored with the credential.
type serverOverrides struct {
	issuer, audience       string
	acceptIssuer           string
	acceptMissingIss       string
	noResource, useIDToken bool
	endpoints              mcplogin.Endpoints
}

func (o *serverOverrides) flags() []cli.Flag {
	return grouped(groupOverrides,
		stringFlag("issuer", "`URL` of the authorization server, if the MCP server lists several (default: the first that offers a flow). It is required before a client secret, key or assertion goes to a server that you have not used from this host", "", &o.issuer),
		stringFlag("accept-issuer", "Accept `LISTED=PUBLISHED`: the MCP server lists the first as its authorization server, which publishes the second as its issuer; for vendors that run both", "", &o.acceptIssuer),
		stringFlag("accept-missing-iss", "Accept an `ISSUER` that promises to name itself in its answers to a browser (RFC 9207) and does not", "", &o.acceptMissingIss),
		stringFlag("audience", "`AUDIENCE` parameter to send, for servers that require one", "", &o.audience),
		boolFlag("no-resource", "Send no resource parameter, for servers that reject it", &o.noResource),
		boolFlag("use-id-token", "Use the id_token as the bearer token", &o.useIDToken),
		stringFlag("authorization-endpoint", "`URL` to use instead of the published one", "", &o.endpoints.Authorization),
		stringFlag("device-authorization-endpoint", "`URL` to use instead of the published one", "", &o.endpoints.DeviceAuthorization),
		stringFlag("token-endpoint", "`URL` to use instead of the published one; with --issuer no metadata of the authorization server is read", "", &o.endpoints.Token),
		stringFlag("registration-endpoint", "`URL` to use instead of the published one", "", &o.endpoints.Registration),
		stringFlag("revocation-endpoint", "`URL` to use instead of the published one", "", &o.endpoints.Revocation),
	)
}

// apply checks the options and puts them into a login's.
func (o *serverOverrides) apply(login *mcplogin.LoginOptions) error {
	for _, e := range []struct{ flag, url string }{
		{"issuer", o.issuer},
		{"accept-missing-iss", o.acceptMissingIss},
		{"authorization-endpoint", o.endpoints.Authorization},
		{"device-authorization-endpoint", o.endpoints.DeviceAuthorization},
		{"token-endpoint", o.endpoints.Token},
		{"registration-endpoint", o.endpoints.Registration},
		{"revocation-endpoint", o.endpoints.Revocation},
	} {
		if e.url == "" {
			continue
		}
		if _, err := oauth.CheckURL(e.url); err != nil {
			return usageError{fmt.Errorf("--%s: %w", e.flag, err)}
		}
	}
	if o.acceptIssuer != "" {
		pair, err := issuerPair(o.acceptIssuer)
		if err != nil {
			return usageError{fmt.Errorf("--accept-issuer: %w", err)}
		}
		login.AcceptIssuer = pair
	}
	login.AcceptMissingIss = o.acceptMissingIss
	login.Issuer, login.NoResource, login.UseIDToken, login.Endpoints = o.issuer, o.noResource, o.useIDToken, o.endpoints
	if o.audience != "" {
		if login.Params == nil {
			login.Params = url.Values{}
		}
		login.Params.Set("audience", o.audience)
	}
	return nil
}

// issuerPair reads LISTED=PUBLISHED.
func issuerPair(text string) (mcplogin.IssuerPair, error) {
	i := strings.LastIndex(text, "=http")
	if i < 0 {
		return mcplogin.IssuerPair{}, errors.New("wants two URLs, LISTED=PUBLISHED")
	}
	pair := mcplogin.IssuerPair{Listed: text[:i], Published: text[i+1:]}
	for _, issuer := range []string{pair.Listed, pair.Published} {
		if _, err := oauth.CheckURL(issuer); err != nil {
			return mcplogin.IssuerPair{}, err
		}
	}
	return pair, nil
}
