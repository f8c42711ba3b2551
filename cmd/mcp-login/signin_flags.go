package main

import (
	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/signin"
)

// browserFlags are for the flows that need a browser.
func browserFlags(o *signin.Browser, params *cli.StringSlice) []cli.Flag {
	return grouped(groupBrowser,
		browserCommandFlag(&o.Command),
		boolFlag("no-browser", "Print the address instead of opening a browser", &o.Never),
		intFlag("redirect-port", "`PORT` that the browser returns to (default: any free one)", 0, &o.Redirect.Port),
		stringFlag("redirect-host", "`HOST` that the browser returns to: 127.0.0.1, localhost or ::1 (default: 127.0.0.1)", "", &o.Redirect.Host),
		stringFlag("redirect-path", "`PATH` that the browser returns to (default: /callback)", "", &o.Redirect.Path),
		stringFlag("redirect-url", "Whole redirect `URL`, for servers that compare it exactly; if it leads elsewhere, you paste the final address here", "", &o.Redirect.URL),
		listFlag("auth-param", "Add `NAME=VALUE` to the authorization request, such as prompt=consent; repeat it for more", params),
		boolFlag("assume-pkce", "Sign in although the server does not advertise PKCE; S256 is sent anyway", &o.AssumePKCE),
	)
}

// relayFlags name the relays that a login can use.
func relayFlags(o *signin.Relay, urls *cli.StringSlice) []cli.Flag {
	return grouped(groupBrowser,
		listFlag("relay", "`URL` of your team's relay (see mcp-login relay), for servers without a device flow; repeat it or separate by commas for more, best first", urls),
		stringFlag("relay-token-from", "`SOURCE` of the client token for the relays: file:PATH, env:NAME, command:LINE or prompt", "", &o.TokenFrom),
	)
}

// clientFlags describe the OAuth client.
func clientFlags(o *signin.Client) []cli.Flag {
	return grouped(groupClient,
		stringFlag("client-id", "`ID` of a client that you registered yourself (default: register one)", "", &o.ID),
		stringFlag("client-secret-from", "`SOURCE` of the client's secret: file:PATH, env:NAME, command:LINE or prompt (default: MCP_LOGIN_CLIENT_SECRET if set)", "", &o.SecretFrom),
		stringFlag("client-auth", "Client authentication `METHOD`: none, client_secret_basic or client_secret_post (default: what the server offers; if it rejects one, another)", "", &o.Auth),
		stringFlag("client-metadata-url", "`URL` of a client ID metadata document, used as the client ID where the server accepts one (see client-metadata)", "", &o.MetadataURL),
		stringFlag("initial-access-token-from", "`SOURCE` of the token for a protected registration endpoint: file:PATH, env:NAME, command:LINE or prompt", "", &o.InitialTokenFrom),
		stringFlag("client-name", "`NAME` to register, shown to the person who approves", "mcp-login", &o.Name),
		boolFlag("accept-new-issuer", "Accept a different authorization server than at the last sign-in", &o.AcceptNewIssuer),
	)
}

// overrideFlags are for servers that do not follow the specification, or do not publish
// what it requires.
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

const sources = secretref.Stored

// nonInteractiveFlags are for logins without a person.
func nonInteractiveFlags(o *signin.NonInteractive) []cli.Flag {
	return grouped(groupEnterprise,
		stringFlag("client-key-from", "`SOURCE` of the client's PEM private key, for private_key_jwt: "+sources, "", &o.KeyFrom),
		stringFlag("client-key-id", "`ID` that the server knows the key by (kid)", "", &o.KeyID),
		stringFlag("client-key-audience", "`AUDIENCE` of the signed assertion (default: the issuer)", "", &o.KeyAudience),
		stringFlag("assertion-from", "`SOURCE` of the JWT for --flow jwt-bearer: "+sources, "", &o.AssertionFrom),
		stringFlag("subject-token-from", "`SOURCE` of the token to exchange, for --flow token-exchange and id-jag: "+sources, "", &o.SubjectFrom),
		stringFlag("subject-token-type", "Type of that token, a `URN` (default: id_token)", "", &o.SubjectType),
		stringFlag("idp-issuer", "`URL` of the company's identity provider, for --flow id-jag", "", &o.IDPIssuer),
		stringFlag("idp-token-endpoint", "`URL` of the identity provider's token endpoint (default: from its metadata)", "", &o.IDPTokenEndpoint),
		stringFlag("idp-client-id", "Client `ID` at the identity provider", "", &o.IDPClientID),
		stringFlag("idp-client-secret-from", "`SOURCE` of the client secret at the identity provider: "+sources, "", &o.IDPClientSecretFrom),
		boolFlag("dpop", "Bind the tokens to a key (RFC 9449) even if the server does not require it", &o.DPoP),
	)
}

// browserCommandFlag names another browser.
func browserCommandFlag(to *string) cli.Flag {
	return stringFlag("browser-command", "Open the browser with `COMMAND`; its %s, or its end, is replaced by the URL (default: BROWSER, else the system's browser)", "", to)
}
