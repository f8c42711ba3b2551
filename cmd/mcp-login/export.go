package main

import (
	"context"
	"encoding/json"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

type exportOptions struct {
	tokenOptions
	withRefreshToken bool
}

func newExport(e *call) *cli.Command {
	var o exportOptions
	return e.command(&cli.Command{
		Name: "export", Usage: "Print an encrypted copy of a credential for another host",
		ArgsUsage: "NAME", UsageText: "mcp-login export notion > notion.age",
		Description: "It asks for the passphrase, or reads it from MCP_LOGIN_EXPORT_PASSPHRASE, _FILE or _COMMAND. Without --with-refresh-token, the copy works until its access token expires.",
		Flags: []cli.Flag{
			boolFlag("with-refresh-token", "Include the refresh token; then run mcp-login clear on this host, because a server that rotates refresh tokens revokes both copies", &o.withRefreshToken),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runExport(ctx, e, &o, args[0]) })
}

func runExport(ctx context.Context, e *call, o *exportOptions, profile string) error {
	opener := e.open(&o.common)
	store, err := opener.OpenStore(ctx, false)
	if err != nil {
		return err
	}
	c, err := opener.Credential(ctx, access.Source{Store: store}, profile, o.login)
	if err != nil {
		return err
	}
	if !o.withRefreshToken {
		c = c.HandOver()
	}
	record, err := json.Marshal(c)
	if err != nil {
		return err
	}
	secret, err := opener.Passphrase(variables.ParcelPassphrase).Choose("new passphrase for this file: ")(ctx)
	if err != nil {
		return parcel.Explain(err, "")
	}
	packed, err := parcel.Pack(record, secret, e.work)
	if err != nil {
		return parcel.Explain(err, "")
	}
	if err := e.answerData(packed); err != nil {
		return err
	}
	if o.withRefreshToken {
		e.say("warning: if two hosts use the same refresh token, the server revokes it for both; remove it on this host: %s", suggest.MCPLogin("clear", profile))
		return nil
	}
	e.say("the copy cannot be renewed; its token %s", report.Expires(c.Token.Expiry))
	return nil
}
