package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
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

// maxParcel is far above any credential.
const maxParcel = 4 << 20

func newImport(e *call) *cli.Command {
	var o importOptions
	return e.command(&cli.Command{
		Name: "import", Usage: "Store a credential that export printed",
		ArgsUsage: "[NAME]", UsageText: "mcp-login import < notion.age",
		Description: "NAME is its name here (default: its name there). You type the passphrase, or it comes from MCP_LOGIN_EXPORT_PASSPHRASE, _FILE or _COMMAND.",
		Flags:       []cli.Flag{boolFlag("force", "Replace a credential of this name", &o.force)},
	}, &o.common, func(ctx context.Context, args []string) error { return runImport(ctx, e, &o, args) })
}

func runImport(ctx context.Context, e *call, o *importOptions, args []string) error {
	if len(args) > 0 {
		if err := secrets.CheckName(args[0]); err != nil { // before anybody types a passphrase
			return err
		}
	}
	c, err := e.unpack(ctx)
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
	c = e.withoutDemands(c)
	store, err := e.openStore(ctx, own, true)
	if err != nil {
		return err
	}
	if err := stores.Probe(ctx, store); err != nil {
		return err
	}
	if err := keep(ctx, store, c, o.force); err != nil {
		return err
	}
	collides(ctx, e, store, c.Profile)
	e.say("keeping the credential for %s as %q, token %s", c.Server, c.Profile, report.Expires(c.Token.Expiry))
	return nil
}

// unpack reads a parcel.
func (e *call) unpack(ctx context.Context) (mcplogin.Credential, error) {
	packed, err := io.ReadAll(io.LimitReader(e.in, maxParcel))
	if err != nil {
		return mcplogin.Credential{}, fmt.Errorf("read standard input: %w", err)
	}
	if len(packed) == 0 {
		return mcplogin.Credential{}, exit.Usagef("import: standard input is empty: mcp-login import < FILE")
	}
	secret, err := e.passphrase(variables.ParcelPassphrase).Read("passphrase of the parcel: ")(ctx)
	if err != nil {
		return mcplogin.Credential{}, parcel.Explain(err)
	}
	record, err := parcel.Unpack(packed, secret)
	if err != nil {
		return mcplogin.Credential{}, parcel.Explain(err)
	}
	c, err := mcplogin.ParseCredential(record)
	e.hidden.Hide(c.Token.Access, c.Token.Refresh, c.Token.ID, c.App.Secret, c.App.RegistrationToken)
	return c, err
}

// keep stores a credential, and replaces another only by force.
func keep(ctx context.Context, store secrets.Store, c mcplogin.Credential, force bool) error {
	s, err := mcplogin.Open(mcplogin.Config{Profile: c.Profile, Source: mcplogin.Stored(store)})
	if err != nil {
		return err
	}
	if err := s.Import(ctx, c, force); !errors.Is(err, mcplogin.ErrExists) {
		return err
	}
	return &exit.Error{
		Code: exit.Failed, Text: fmt.Sprintf("%q is the name of a credential already", c.Profile),
		Hint: "use another name: mcp-login import NAME, or replace it: --force",
	}
}
