package signin

import (
	"context"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/oauth"
)

// NonInteractive has the options of non-interactive sign-ins. Sources are
// stored with the credential and read again at each renewal.
type NonInteractive struct {
	KeyFrom, KeyID, KeyAudience      string
	AssertionFrom, SubjectFrom       string
	SubjectType                      string
	IDPIssuer, IDPTokenEndpoint      string
	IDPClientID, IDPClientSecretFrom string
	DPoP                             bool
}

// apply applies the options to those of a login.
func (o *NonInteractive) apply(login *mcplogin.LoginOptions, audience string) error {
	in := flows.Inputs{
		Assertion: o.AssertionFrom, SubjectToken: o.SubjectFrom, SubjectTokenType: o.SubjectType, Audience: audience,
		IDPIssuer: o.IDPIssuer, IDPTokenEndpoint: o.IDPTokenEndpoint, IDPClientID: o.IDPClientID, IDPClientSecret: o.IDPClientSecretFrom,
	}
	for _, source := range []struct {
		flag string
		to   *string
	}{
		{"assertion-from", &in.Assertion}, {"subject-token-from", &in.SubjectToken}, {"idp-client-secret-from", &in.IDPClientSecret},
	} {
		var err error
		if *source.to, err = secretref.Durable(*source.to); err != nil {
			return exit.Usage(fmt.Errorf("--%s: %w", source.flag, err))
		}
	}
	login.Inputs, login.DPoP = in, o.DPoP
	return nil
}

// key reads the client's private key.
func (s SignIn) key(ctx context.Context) (*oauth.Key, error) {
	o := s.NonInteractive
	if o.KeyFrom == "" {
		return nil, nil
	}
	text, err := s.Secret(ctx, o.KeyFrom, "client key")
	if err != nil {
		return nil, err
	}
	key, err := oauth.ParseKey([]byte(text))
	if err != nil {
		return nil, exit.Usage(fmt.Errorf("--client-key-from: %w", err))
	}
	key.ID, key.Audience = o.KeyID, o.KeyAudience
	return key, nil
}

// implied returns the flow that the options imply, "" if they imply none.
func (o *NonInteractive) implied() string {
	switch {
	case o.IDPIssuer != "" || o.IDPTokenEndpoint != "":
		return clientcred.IDJAG{}.Name()
	case o.AssertionFrom != "":
		return clientcred.JWTBearer{}.Name()
	case o.SubjectFrom != "":
		return clientcred.TokenExchange{}.Name()
	case o.KeyFrom != "":
		return clientcred.ClientCredentials{}.Name()
	}
	return ""
}

// Flows returns the non-interactive flows. Every session has them, so that it can
// renew their credentials. Read reads a source, and idToken requests the CI job's ID
// token.
func Flows(read, idToken func(ctx context.Context, what string) (string, error)) []flows.Flow {
	return []flows.Flow{
		clientcred.ClientCredentials{},
		clientcred.JWTBearer{Read: read},
		clientcred.TokenExchange{Read: read},
		clientcred.IDJAG{Read: read},
		clientcred.CI{IDToken: idToken},
	}
}
