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
	return []cli.Flag{
		stringFlag("client-key-from", "source of the PEM private key that the client signs in with (private_key_jwt): "+sources, "", &o.keyFrom),
		stringFlag("client-key-id", "kid that the server knows the key by (default: none is sent)", "", &o.keyID),
		stringFlag("client-key-audience", "aud of what is signed (default: the issuer)", "", &o.keyAudience),
		stringFlag("assertion-from", "source of the JWT for --flow jwt-bearer: "+sources, "", &o.assertionFrom),
		stringFlag("subject-token-from", "source of the token to give in exchange, for --flow token-exchange and id-jag: "+sources, "", &o.subjectFrom),
		stringFlag("subject-token-type", "its type, a URN (default: id_token)", "", &o.subjectType),
		stringFlag("idp-issuer", "identity provider of the company, for --flow id-jag", "", &o.idpIssuer),
		stringFlag("idp-token-endpoint", "its token endpoint (default: from its metadata)", "", &o.idpTokenEndpoint),
		stringFlag("idp-client-id", "our client id there", "", &o.idpClientID),
		stringFlag("idp-client-secret-from", "source of our client secret there: "+sources, "", &o.idpClientSecret),
		boolFlag("dpop", "bind the tokens to a key (RFC 9449), where the server does not ask for that itself", &o.dpop),
	}
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
