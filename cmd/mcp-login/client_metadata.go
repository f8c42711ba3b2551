package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/oauth"
)

type clientMetadataOptions struct {
	common
	name, clientURI string
	redirects       list
}

func newClientMetadata(e *call) *cli.Command {
	o := clientMetadataOptions{redirects: list{"http://127.0.0.1/callback", "http://localhost/callback"}}
	return e.command(&cli.Command{
		Name: "client-metadata", Usage: "Print a client ID metadata document to host at a URL",
		ArgsUsage: "URL", UsageText: "mcp-login client-metadata https://example.com/mcp-login.json > mcp-login.json",
		Description: "Servers that support these documents need no registration. Host the document at exactly that URL, then sign in with --client-metadata-url URL.",
		Flags: []cli.Flag{
			stringFlag("client-name", "Client `NAME`, shown on the approval page", "mcp-login", &o.name),
			stringFlag("client-uri", "Home page `URL` of the organization that hosts the document", "", &o.clientURI),
			listFlag("redirect-url", "Redirect `URL` to allow (repeatable)", &o.redirects),
		},
	}, &o.common, func(_ context.Context, args []string) error { return runClientMetadata(e, &o, args[0]) })
}

func runClientMetadata(e *call, o *clientMetadataOptions, id string) error {
	text, err := oauth.ClientDocument(id, oauth.ClientMetadata{
		ClientName:    o.name,
		ClientURI:     o.clientURI,
		GrantTypes:    []string{oauth.GrantAuthorizationCode, oauth.GrantDeviceCode, oauth.GrantRefreshToken},
		ResponseTypes: []string{"code"},
		RedirectURIs:  o.redirects,
	})
	if err != nil {
		return exit.Usage(err)
	}
	return e.answerData([]byte(printable.JSONText(string(text)) + "\n"))
}
