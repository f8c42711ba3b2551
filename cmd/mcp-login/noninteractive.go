package main

import (
	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/signin"
)

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
