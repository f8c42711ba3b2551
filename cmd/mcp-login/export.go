package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
)

type exportOptions struct {
	access
	withRefreshToken bool
}

func newExport(e *env) *cli.Command {
	var o exportOptions
	return e.command(&cli.Command{
		Name: "export", Usage: "Print a credential, encrypted, for another host",
		ArgsUsage: "NAME", UsageText: "mcp-login export notion > notion.age",
		Description: "You type the passphrase, or it comes from MCP_LOGIN_EXPORT_PASSPHRASE, _FILE or _COMMAND. Without --with-refresh-token the copy ends with its access token.",
		Flags: []cli.Flag{
			boolFlag("with-refresh-token", "Include the refresh token. Then run mcp-login clear here: a server that rotates refresh tokens revokes both copies", &o.withRefreshToken),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runExport(ctx, e, &o, args[0]) })
}

func runExport(ctx context.Context, e *env, o *exportOptions, profile string) error {
	store, err := e.openStore(ctx, &o.common, false)
	if err != nil {
		return err
	}
	c, err := e.credential(ctx, &o.access, source{store: store}, profile)
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
	secret, err := e.passphrase(parcelPassphrase).Choose()(ctx)
	if err != nil {
		return parcelError(err)
	}
	packed, err := parcel.Pack(record, secret, e.work)
	if err != nil {
		return parcelError(err)
	}
	if err := e.answerData(packed); err != nil {
		return err
	}
	if o.withRefreshToken {
		e.say("warning: two hosts that use one refresh token have it revoked for both; forget it here: %s", suggest.MCPLogin("clear", profile))
		return nil
	}
	e.say("the copy cannot be renewed, its token %s", expires(c.Token.Expiry))
	return nil
}

// parcelError says where the passphrase of a parcel comes from.
func parcelError(err error) error {
	if !errors.Is(err, secrets.ErrPassphrase) {
		return err
	}
	return &codeError{
		code: exitStore, text: err.Error(),
		hint: "set MCP_LOGIN_EXPORT_PASSPHRASE_FILE or MCP_LOGIN_EXPORT_PASSPHRASE_COMMAND to the passphrase of the parcel",
	}
}
