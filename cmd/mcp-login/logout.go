package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/shelleval"
)

type logoutOptions struct {
	common
	all bool
}

func newLogout(e *call) *cli.Command {
	var o logoutOptions
	return e.command(&cli.Command{
		Name: "logout", Usage: "Sign out: revoke the tokens and remove the credential",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login logout notion",
		Description: "It removes the credential even if the server cannot be reached.",
		Flags:       []cli.Flag{boolFlag("all", "Sign out of every server", &o.all)},
	}, &o.common, func(ctx context.Context, args []string) error { return runLogout(ctx, e, &o, args) })
}

func runLogout(ctx context.Context, e *call, o *logoutOptions, names []string) error {
	names, err := chosen(ctx, e, &o.common, "logout", "--all", o.all, names)
	if err != nil {
		return err
	}
	shell, _ := shelleval.Detect(e.getenv)
	defer func() { sayUnset(e, shell, names) }()
	return eachProfile(e, names, func(e *call, o *common, name string) error {
		unrevoked, err := e.open(o).Logout(ctx, name)
		switch {
		case err != nil:
			return err
		case unrevoked != nil:
			e.say("signed out of %q: removed the credential; the server cannot revoke the access token, which %s", name, report.Remains(unrevoked.Token.Expiry))
		default:
			e.say("signed out of %q: revoked the tokens and removed the credential", name)
		}
		return nil
	})
}

// chosen returns the named profiles, or with a flag all stored ones. Exactly one of the
// two is required.
func chosen(ctx context.Context, e *call, o *common, command, flag string, all bool, names []string) ([]string, error) {
	switch {
	case all && len(names) > 0:
		return nil, exit.Usagef("%s: use either names or %s", command, flag)
	case all:
		store, err := e.open(o).OpenStore(ctx, false)
		if err != nil {
			return nil, err
		}
		names, err := store.List(ctx)
		if err == nil && len(names) == 0 && command == "logout" {
			e.say("not signed in to any server")
		}
		return names, err
	case len(names) == 0:
		return nil, exit.Usagef("%s: NAME is missing: mcp-login %s NAME", command, command)
	}
	return names, nil
}

// eachProfile calls a function for each profile, with its own settings. It
// continues after an error and returns all errors.
func eachProfile(e *call, names []string, do func(e *call, o *common, name string) error) error {
	var errs []error
	for _, name := range names {
		own, o, err := e.forProfile(name)
		if err == nil {
			err = do(own, o, name)
		}
		errs = append(errs, err)
	}
	if len(names) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
