package main

import (
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/urfave/cli/v2"
)

// overrideFlags are what a person must say about servers that do not follow, or do
// not say, what the specification wants.
func overrideFlags(o *signin.Overrides) []cli.Flag {
	return grouped(groupOverrides,
		stringFlag("issuer", "`URL` of the authorization server, if the MCP server lists several (default: the first that offers a flow). It is required before a client secret, key or assertion goes to a server that you have not used from this host", "", &o.Issuer),
		stringFlag("accept-issuer", "Accept `LISTED=PUBLISHED`: the MCP server lists the first as its authorization server, which publishes the second as its issuer; for vendors that run both", "", &o.AcceptIssuer),
		stringFlag("accept-missing-iss", "Accept an `ISSUER` that promises to name itself in its answers to a browser (RFC 9207) and does not", "", &o.AcceptMissingIss),
		stringFlag("audience", "`AUDIENCE` parameter to send, for servers that require one", "", &o.Audience),
		boolFlag("no-resource", "Send no resource parameter, for servers that reject it", &o.NoResource),
		boolFlag("use-id-token", "Use the id_token as the bearer token", &o.UseIDToken),
		stringFlag("authorization-endpoint", "`URL` to use instead of the published one", "", &o.Endpoints.Authorization),
		stringFlag("device-authorization-endpoint", "`URL` to use instead of the published one", "", &o.Endpoints.DeviceAuthorization),
		stringFlag("token-endpoint", "`URL` to use instead of the published one; with --issuer no metadata of the authorization server is read", "", &o.Endpoints.Token),
		stringFlag("registration-endpoint", "`URL` to use instead of the published one", "", &o.Endpoints.Registration),
		stringFlag("revocation-endpoint", "`URL` to use instead of the published one", "", &o.Endpoints.Revocation),
	)
}
