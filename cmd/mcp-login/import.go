package main

import (
	"context"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

type importOptions struct {
	common
	force bool
}

func newImport(e *call) *cli.Command {
	var o importOptions
	return e.command(&cli.Command{
		Name: "import", Usage: "Store a credential that was exported on another host",
		ArgsUsage: "[NAME]", UsageText: "mcp-login import < notion.age",
		Description: "NAME is its name on this host (default: the exported name). It asks for the passphrase, or reads it from MCP_LOGIN_EXPORT_PASSPHRASE, _FILE or _COMMAND.",
		Flags:       []cli.Flag{boolFlag("force", "Replace an existing credential with this name", &o.force)},
	}, &o.common, func(ctx context.Context, args []string) error { return runImport(ctx, e, &o, args) })
}

func runImport(ctx context.Context, e *call, o *importOptions, args []string) error {
	if len(args) > 0 {
		if err := secrets.CheckName(args[0]); err != nil { // before the user types a passphrase
			return err
		}
	}
	c, err := unpack(ctx, e)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		c.Profile = args[0]
	}
	e, own, err := e.forProfile(c.Profile)
	if err != nil {
		return err
	}
	opener := e.open(own)
	c = opener.WithoutDemands(c)
	store, err := opener.OpenStore(ctx, true)
	if err != nil {
		return err
	}
	if err := stores.Probe(ctx, store); err != nil {
		return err
	}
	if err := access.Import(ctx, store, c, o.force); err != nil {
		return err
	}
	collides(ctx, e, store, c.Profile)
	e.say("stored the credential for %s as %q; its token %s", c.Server, c.Profile, report.Expires(c.Token.Expiry))
	return nil
}

// unpack decrypts a parcel.
func unpack(ctx context.Context, e *call) (mcplogin.Credential, error) {
	if e.streams().InIsTerminal() {
		e.say("paste the export and press Ctrl-D, or run mcp-login import < FILE")
	}
	packed, err := parcel.Read(e.streams().Input(ctx))
	if err != nil {
		return mcplogin.Credential{}, err
	}
	opener := e.open(new(common))
	secret, err := opener.Passphrase(variables.ParcelPassphrase).Read("passphrase of the export: ")(ctx)
	if err != nil {
		return mcplogin.Credential{}, parcel.Explain(err, "")
	}
	record, err := parcel.Unpack(packed, secret)
	if err != nil {
		return mcplogin.Credential{}, parcel.Explain(err, e.Line.With().String()+" < FILE")
	}
	c, err := mcplogin.ParseCredential(record)
	opener.Hide(c)
	return c, err
}
