package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

func newLogout(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "logout", Usage: "revoke the tokens at the server and forget them here",
		ArgsUsage: "NAME", UsageText: "mcp-login logout notion",
		Description: "The credential is removed here even if the server cannot be told.",
	}, &o, func(ctx context.Context, args []string) error { return runLogout(ctx, e, &o, args[0]) })
}

func runLogout(ctx context.Context, e *env, o *common, profile string) error {
	s, err := e.session(ctx, o, lent{}, profile)
	if err != nil {
		return err
	}
	c, err := s.Credential(ctx)
	if err == nil {
		err = s.Logout(ctx)
	}
	if err != nil {
		return err
	}
	e.forgetConfirmed(c)
	if c.Token.Access == "" {
		e.say("removed %q here; it was never logged in", profile)
		return nil
	}
	e.say("logged out of %q: revoked at the server and removed here", profile)
	return nil
}
