package main

import (
	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/signin"
)

// browserFlags are for the flows that need a browser.
func browserFlags(o *signin.Browser, params *list) []cli.Flag {
	return grouped(groupBrowser,
		browserCommandFlag(&o.Command),
		boolFlag("no-browser", "Print the URL instead of opening a browser", &o.Never),
		intFlag("redirect-port", "`PORT` that the browser returns to (default: any free port)", 0, &o.Redirect.Port),
		stringFlag("redirect-host", "`HOST` that the browser returns to: 127.0.0.1, localhost or ::1 (default: 127.0.0.1)", "", &o.Redirect.Host),
		stringFlag("redirect-path", "`PATH` that the browser returns to (default: /callback)", "", &o.Redirect.Path),
		stringFlag("redirect-url", "Exact redirect `URL`, for servers that require one. If it is on another host, you paste the final address here", "", &o.Redirect.URL),
		listFlag("auth-param", "Add `NAME=VALUE` to the authorization request, such as prompt=consent (repeatable)", params),
		boolFlag("assume-pkce", "Sign in even if the server does not advertise PKCE; S256 is still sent", &o.AssumePKCE),
	)
}

// relayFlags name the relays that a login can use.
func relayFlags(o *signin.Relay, urls *list) []cli.Flag {
	return grouped(groupBrowser,
		listFlag("relay", "`URL` of your team's relay (see mcp-login relay), for servers without a device flow (repeatable, or separated by commas)", urls),
		stringFlag("relay-token-from", "`SOURCE` of the relay's client token: file:PATH, env:NAME, command:LINE or prompt", "", &o.TokenFrom),
	)
}

// clientFlags describe the OAuth client.
func clientFlags(o *signin.Client) []cli.Flag {
	return grouped(groupClient,
		stringFlag("client-id", "`ID` of a client that you registered yourself (default: register automatically)", "", &o.ID),
		stringFlag("client-secret-from", "`SOURCE` of the client's secret: file:PATH, env:NAME, command:LINE or prompt (default: MCP_LOGIN_CLIENT_SECRET if set)", "", &o.SecretFrom),
		stringFlag("client-auth", "Client authentication `METHOD`: none, client_secret_basic or client_secret_post (default: any that the server accepts)", "", &o.Auth),
		stringFlag("client-metadata-url", "`URL` of a client ID metadata document, used as the client ID if the server supports it (see client-metadata)", "", &o.MetadataURL),
		stringFlag("initial-access-token-from", "`SOURCE` of the token for a protected registration endpoint: file:PATH, env:NAME, command:LINE or prompt", "", &o.InitialTokenFrom),
		stringFlag("client-name", "Client `NAME` to register, shown on the approval page", "mcp-login", &o.Name),
		boolFlag("accept-new-issuer", "Accept a different authorization server from the last sign-in", &o.AcceptNewIssuer),
	)
}

// overrideFlags are for servers that do not follow the specification, or do not publish
// what it requires.
func overrideFlags(o *signin.Overrides) []cli.Flag {
	return grouped(groupOverrides,
		stringFlag("issuer", "`URL` of the authorization server, if the MCP server lists several (default: the first with a usable flow). Required before a client secret, key or assertion goes to a server that is new to this host", "", &o.Issuer),
		stringFlag("accept-issuer", "Accept an issuer mismatch, `LISTED=PUBLISHED`: the authorization server that the MCP server lists, and the issuer that it publishes", "", &o.AcceptIssuer),
		stringFlag("accept-missing-iss", "Accept answers without iss from an `ISSUER` that promises it (RFC 9207)", "", &o.AcceptMissingIss),
		stringFlag("audience", "Send this `AUDIENCE` parameter, for servers that require one", "", &o.Audience),
		boolFlag("no-resource", "Send no resource parameter, for servers that reject it", &o.NoResource),
		boolFlag("use-id-token", "Use the ID token as the bearer token", &o.UseIDToken),
		stringFlag("authorization-endpoint", "Authorization endpoint `URL`, instead of the published one", "", &o.Endpoints.Authorization),
		stringFlag("device-authorization-endpoint", "Device authorization endpoint `URL`, instead of the published one", "", &o.Endpoints.DeviceAuthorization),
		stringFlag("token-endpoint", "Token endpoint `URL`, instead of the published one. With --issuer, the authorization server's metadata is not read", "", &o.Endpoints.Token),
		stringFlag("registration-endpoint", "Registration endpoint `URL`, instead of the published one", "", &o.Endpoints.Registration),
		stringFlag("revocation-endpoint", "Revocation endpoint `URL`, instead of the published one", "", &o.Endpoints.Revocation),
	)
}

const sources = secretref.Stored

// nonInteractiveFlags are for non-interactive sign-ins.
func nonInteractiveFlags(o *signin.NonInteractive) []cli.Flag {
	return grouped(groupEnterprise,
		stringFlag("client-key-from", "`SOURCE` of the client's PEM private key, for private_key_jwt: "+sources, "", &o.KeyFrom),
		stringFlag("client-key-id", "Key `ID` that is registered at the server (kid)", "", &o.KeyID),
		stringFlag("client-key-audience", "`AUDIENCE` of the signed assertion (default: the issuer)", "", &o.KeyAudience),
		stringFlag("assertion-from", "`SOURCE` of the JWT for --flow jwt-bearer: "+sources, "", &o.AssertionFrom),
		stringFlag("subject-token-from", "`SOURCE` of the token to exchange, for --flow token-exchange and id-jag: "+sources, "", &o.SubjectFrom),
		stringFlag("subject-token-type", "Type of the token to exchange, a `URN` (default: id_token)", "", &o.SubjectType),
		stringFlag("idp-issuer", "`URL` of your organization's identity provider, for --flow id-jag", "", &o.IDPIssuer),
		stringFlag("idp-token-endpoint", "`URL` of the identity provider's token endpoint (default: from its metadata)", "", &o.IDPTokenEndpoint),
		stringFlag("idp-client-id", "Client `ID` at the identity provider", "", &o.IDPClientID),
		stringFlag("idp-client-secret-from", "`SOURCE` of the client secret at the identity provider: "+sources, "", &o.IDPClientSecretFrom),
		boolFlag("dpop", "Bind tokens to a key (DPoP, RFC 9449) even if the server does not require it", &o.DPoP),
	)
}

// browserCommandFlag is the command that opens a browser.
func browserCommandFlag(to *string) cli.Flag {
	return stringFlag("browser-command", "Open the browser with `COMMAND` (default: BROWSER, or the system's browser). The URL replaces %s, or is appended", "", to)
}
