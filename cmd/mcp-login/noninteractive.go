package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/oauth"
)

// nonInteractiveOptions are for logins without a person. Sources are stored with
// the credential and read again at each renewal.
type nonInteractiveOptions struct {
	keyFrom, keyID, keyAudience  string
	assertionFrom, subjectFrom   string
	subjectType                  string
	idpIssuer, idpTokenEndpoint  string
	idpClientID, idpClientSecret string
	dpop                         bool
}

const sources = secretref.Stored

func (o *nonInteractiveOptions) flags() []cli.Flag {
	return grouped(groupEnterprise,
		stringFlag("client-key-from", "`SOURCE` of the client's PEM private key, for private_key_jwt: "+sources, "", &o.keyFrom),
		stringFlag("client-key-id", "`ID` that the server knows the key by (kid)", "", &o.keyID),
		stringFlag("client-key-audience", "`AUDIENCE` of the signed assertion (default: the issuer)", "", &o.keyAudience),
		stringFlag("assertion-from", "`SOURCE` of the JWT for --flow jwt-bearer: "+sources, "", &o.assertionFrom),
		stringFlag("subject-token-from", "`SOURCE` of the token to exchange, for --flow token-exchange and id-jag: "+sources, "", &o.subjectFrom),
		stringFlag("subject-token-type", "Type of that token, a `URN` (default: id_token)", "", &o.subjectType),
		stringFlag("idp-issuer", "`URL` of the company's identity provider, for --flow id-jag", "", &o.idpIssuer),
		stringFlag("idp-token-endpoint", "`URL` of the identity provider's token endpoint (default: from its metadata)", "", &o.idpTokenEndpoint),
		stringFlag("idp-client-id", "Client `ID` at the identity provider", "", &o.idpClientID),
		stringFlag("idp-client-secret-from", "`SOURCE` of the client secret at the identity provider: "+sources, "", &o.idpClientSecret),
		boolFlag("dpop", "Bind the tokens to a key (RFC 9449) even if the server does not require it", &o.dpop),
	)
}

// apply puts the options into a login's.
func (o *nonInteractiveOptions) apply(login *mcplogin.LoginOptions, audience string) error {
	in := flows.Inputs{
		Assertion: o.assertionFrom, SubjectToken: o.subjectFrom, SubjectTokenType: o.subjectType, Audience: audience,
		IDPIssuer: o.idpIssuer, IDPTokenEndpoint: o.idpTokenEndpoint, IDPClientID: o.idpClientID, IDPClientSecret: o.idpClientSecret,
	}
	for _, source := range []struct {
		flag string
		to   *string
	}{
		{"assertion-from", &in.Assertion}, {"subject-token-from", &in.SubjectToken}, {"idp-client-secret-from", &in.IDPClientSecret},
	} {
		var err error
		if *source.to, err = secretref.Durable(*source.to); err != nil {
			return usageError{fmt.Errorf("--%s: %w", source.flag, err)}
		}
	}
	login.Inputs, login.DPoP = in, o.dpop
	return nil
}

// key reads the client's private key.
func (o *nonInteractiveOptions) key(ctx context.Context, e *env) (*oauth.Key, error) {
	if o.keyFrom == "" {
		return nil, nil
	}
	text, err := e.secret(ctx, o.keyFrom, "client key")
	if err != nil {
		return nil, err
	}
	key, err := oauth.ParseKey([]byte(text))
	if err != nil {
		return nil, usageError{fmt.Errorf("--client-key-from: %w", err)}
	}
	key.ID, key.Audience = o.keyID, o.keyAudience
	return key, nil
}

// implied returns the flow that the options leave no doubt about, "" if there
// is none.
func (o *nonInteractiveOptions) implied() string {
	switch {
	case o.idpIssuer != "" || o.idpTokenEndpoint != "":
		return clientcred.IDJAG{}.Name()
	case o.assertionFrom != "":
		return clientcred.JWTBearer{}.Name()
	case o.subjectFrom != "":
		return clientcred.TokenExchange{}.Name()
	case o.keyFrom != "":
		return clientcred.ClientCredentials{}.Name()
	}
	return ""
}

// nonInteractive returns the flows that need no person. Every session has them, so
// that what they got can be renewed. What a stored record has them read is asked
// of permit first.
func (e *env) nonInteractive(o *common) []flows.Flow {
	read := func(ctx context.Context, source string) (string, error) { return e.secret(ctx, source, "input") }
	return []flows.Flow{
		clientcred.ClientCredentials{},
		clientcred.JWTBearer{Read: read},
		clientcred.TokenExchange{Read: read},
		clientcred.IDJAG{Read: read},
		clientcred.CI{IDToken: func(ctx context.Context, audience string) (string, error) {
			return e.idToken(ctx, o, audience)
		}},
	}
}
