package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/oauth"
)

func newLogout(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "logout", Usage: "Revoke the tokens at the server and remove them here",
		ArgsUsage: "NAME", UsageText: "mcp-login logout notion",
		Description: "The credential is removed here even if the server cannot be reached.",
	}, &o, func(ctx context.Context, args []string) error { return runLogout(ctx, e, &o, args[0]) })
}

func runLogout(ctx context.Context, e *env, o *common, profile string) error {
	s, err := e.session(ctx, o, fromAgent{}, profile)
	if err != nil {
		return err
	}
	c, unread := s.Credential(ctx)
	err = s.Logout(ctx)
	failed, ok := errors.AsType[*mcplogin.LogoutError](err)
	unsupported := ok && failed.Delete == nil && errors.Is(failed.Revoke, oauth.ErrUnsupported)
	if err != nil && !unsupported {
		return err
	}
	if unread == nil {
		e.forgetConfirmed(c)
	}
	shell, _ := envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	defer e.stillSet(shell, []string{profile})
	if unsupported {
		e.say("logged out of %q: removed here; the server cannot revoke the access token, which %s", profile, remains(c.Token.Expiry))
		return nil
	}
	e.say("logged out of %q: revoked at the server and removed here", profile)
	return nil
}

// remains says how long a token that nobody revoked can be used.
func remains(expiry time.Time) string {
	if expiry.IsZero() {
		return "stays valid for a time that the server did not state"
	}
	return expires(expiry)
}
