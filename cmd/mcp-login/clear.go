package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

func newClear(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "clear", Usage: "Remove a credential here, without telling the server",
		ArgsUsage: "NAME", UsageText: "mcp-login clear notion",
	}, &o, func(ctx context.Context, args []string) error { return runClear(ctx, e, &o, args[0]) })
}

func runClear(ctx context.Context, e *env, o *common, profile string) error {
	s, err := e.session(ctx, o, fromAgent{}, profile)
	if err != nil {
		return err
	}
	c, unread := s.Credential(ctx)
	if err := s.Clear(ctx); err != nil {
		return err
	}
	if unread == nil {
		e.forgetConfirmed(c)
	}
	e.say("removed %q here; its tokens stay valid at the server until they expire", profile)
	return nil
}
