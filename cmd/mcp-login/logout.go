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
	if err := checkNames("logout", "--all", o.all, names); err != nil {
		return err
	}
	if o.all {
		var err error
		if names, err = namesInStore(ctx, e, &o.common); err != nil {
			return err
		}
		if len(names) == 0 {
			e.say("not signed in to any server")
		}
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

// namesInStore returns the names of all stored credentials.
func namesInStore(ctx context.Context, e *call, o *common) ([]string, error) {
	store, err := e.open(o).OpenStore(ctx, false)
	if err != nil {
		return nil, err
	}
	return store.List(ctx)
}

// checkNames returns an error unless exactly one of names and a flag for all was typed.
func checkNames(command, flag string, all bool, names []string) error {
	switch {
	case all && len(names) > 0:
		return exit.Usagef("%s: use either names or %s", command, flag)
	case !all && len(names) == 0:
		return exit.Usagef("%s: NAME is missing: mcp-login %s NAME", command, command)
	}
	return nil
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
