package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// clientOptions say who we are at the authorization server.
type clientOptions struct {
	id, secretFrom, name string
	auth                 string
	metadataURL          string
	initialTokenFrom     string
	acceptNewIssuer      bool
}

func (o *clientOptions) flags() []cli.Flag {
	return grouped(groupClient,
		stringFlag("client-id", "`ID` of a client that you registered yourself (default: register one)", "", &o.id),
		stringFlag("client-secret-from", "`SOURCE` of the client's secret: file:PATH, env:NAME, command:LINE or prompt (default: MCP_LOGIN_CLIENT_SECRET if set)", "", &o.secretFrom),
		stringFlag("client-auth", "Client authentication `METHOD`: none, client_secret_basic or client_secret_post (default: what the server offers; if it rejects one, another)", "", &o.auth),
		stringFlag("client-metadata-url", "`URL` of a client ID metadata document, used as the client ID where the server accepts one (see client-metadata)", "", &o.metadataURL),
		stringFlag("initial-access-token-from", "`SOURCE` of the token for a protected registration endpoint: file:PATH, env:NAME, command:LINE or prompt", "", &o.initialTokenFrom),
		stringFlag("client-name", "`NAME` to register, shown to the person who approves", "mcp-login", &o.name),
		boolFlag("accept-new-issuer", "Accept a different authorization server than at the last sign-in", &o.acceptNewIssuer),
	)
}

// registration reads who we are.
func (o *clientOptions) registration(ctx context.Context, e *env) (mcplogin.Registration, error) {
	r := mcplogin.Registration{
		App:               oauth.App{ID: o.id, AuthMethod: o.auth},
		ClientMetadataURL: o.metadataURL,
		ClientName:        o.name,
		AcceptNewIssuer:   o.acceptNewIssuer,
	}
	if o.id == "" && o.secretFrom != "" {
		return r, usagef("--client-secret-from needs --client-id")
	}
	if methods := []string{"", oauth.AuthNone, oauth.AuthClientSecretBasic, oauth.AuthClientSecretPost}; !slices.Contains(methods, o.auth) {
		return r, usagef("--client-auth: %q is not one of%s", o.auth, strings.Join(methods, " "))
	}
	source := o.secretFrom
	if source == "" && e.getenv("MCP_LOGIN_CLIENT_SECRET") != "" {
		source = "env:MCP_LOGIN_CLIENT_SECRET"
	}
	var err error
	if source != "" && o.id != "" {
		r.App.Secret, err = e.secret(ctx, source, "client secret")
	}
	if err == nil && !(oauth.ValidText(r.App.ID) && oauth.ValidText(r.App.Secret)) {
		return r, usagef("the client id and the client secret must be printable ASCII (RFC 6749 appendix A)")
	}
	if o.initialTokenFrom != "" && err == nil {
		r.InitialAccessToken, err = e.secret(ctx, o.initialTokenFrom, "initial access token")
	}
	return r, err
}
