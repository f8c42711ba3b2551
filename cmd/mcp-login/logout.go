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
	c, unread := s.Credential(ctx)
	if err := s.Logout(ctx); err != nil {
		return err
	}
	if unread == nil {
		e.forgetConfirmed(c)
	}
	e.say("logged out of %q: revoked at the server and removed here", profile)
	return nil
}
