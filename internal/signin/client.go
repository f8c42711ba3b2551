package signin

import (
	"context"
	"slices"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/oauth"
)

// Client has the options of the client registration.
type Client struct {
	ID, SecretFrom   string
	Name             string // to register
	Auth             string // authentication method; "": chosen by the server metadata
	MetadataURL      string
	InitialTokenFrom string // source of the initial access token
	AcceptNewIssuer  bool
}

// registration returns the client registration with its secrets.
func (s SignIn) registration(ctx context.Context) (mcplogin.Registration, error) {
	o := s.Client
	r := mcplogin.Registration{
		App:               oauth.App{ID: o.ID, AuthMethod: o.Auth},
		ClientMetadataURL: o.MetadataURL,
		ClientName:        o.Name,
		AcceptNewIssuer:   o.AcceptNewIssuer,
		Issuer:            s.Issuer,
	}
	if o.ID == "" && o.SecretFrom != "" {
		return r, exit.Usagef("--client-secret-from requires --client-id")
	}
	if methods := []string{oauth.AuthNone, oauth.AuthClientSecretBasic, oauth.AuthClientSecretPost}; o.Auth != "" && !slices.Contains(methods, o.Auth) {
		return r, exit.Unknown("--client-auth", o.Auth, methods)
	}
	source := o.SecretFrom
	if source == "" && s.Getenv("MCP_LOGIN_CLIENT_SECRET") != "" {
		source = "env:MCP_LOGIN_CLIENT_SECRET"
	}
	var err error
	if source != "" && o.ID != "" {
		r.App.Secret, err = s.Secret(ctx, source, "client secret")
	}
	if err == nil && !(oauth.ValidText(r.App.ID) && oauth.ValidText(r.App.Secret)) {
		return r, exit.Usagef("the client ID and the client secret must be printable ASCII (RFC 6749 appendix A)")
	}
	if o.InitialTokenFrom != "" && err == nil {
		r.InitialAccessToken, err = s.Secret(ctx, o.InitialTokenFrom, "initial access token")
	}
	if err == nil {
		r.App.Key, err = s.key(ctx)
	}
	return r, err
}
