package main

import (
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/urfave/cli/v2"
)

// clientFlags say who we are at the authorization server.
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
