package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

type logoutOptions struct {
	common
	all bool
}

func newLogout(e *call) *cli.Command {
	var o logoutOptions
	return e.command(&cli.Command{
		Name: "logout", Usage: "Revoke the tokens at the server and remove them here",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login logout notion",
		Description: "The credential is removed here even if the server cannot be reached.",
		Flags:       []cli.Flag{boolFlag("all", "Sign out of every server", &o.all)},
	}, &o.common, func(ctx context.Context, args []string) error { return runLogout(ctx, e, &o, args) })
}

func runLogout(ctx context.Context, e *call, o *logoutOptions, names []string) error {
	names, err := e.chosen(ctx, &o.common, "logout", "--all", o.all, names)
	if err != nil {
		return err
	}
	shell, _ := envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	defer func() { stillSet(e, shell, names) }()
	return e.eachProfile(names, func(e *call, o *common, name string) error { return e.logOut(ctx, o, name) })
}

// chosen returns the profiles that were named, or all that are stored if a flag
// says so. It must be one of the two.
func (e *call) chosen(ctx context.Context, o *common, command, flag string, all bool, names []string) ([]string, error) {
	switch {
	case all && len(names) > 0:
		return nil, exit.Usagef("%s: give names or %s, not both", command, flag)
	case all:
		store, err := e.openStore(ctx, o, false)
		if err != nil {
			return nil, err
		}
		return store.List(ctx)
	case len(names) == 0:
		return nil, exit.Usagef("%s: NAME is missing: mcp-login %s NAME", command, command)
	}
	return names, nil
}

// eachProfile does something with each profile, as its settings have it. An error
// of one does not keep the others from their turn.
func (e *call) eachProfile(names []string, do func(e *call, o *common, name string) error) error {
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

func (e *call) logOut(ctx context.Context, o *common, profile string) error {
	s, err := e.session(ctx, o, fromAgent{}, profile)
	if err != nil {
		return err
	}
	c, unread := s.Credential(ctx)
	if err := e.notSignedIn(profile, unread); err != nil {
		return err
	}
	err = s.Logout(ctx)
	failed, ok := errors.AsType[*mcplogin.LogoutError](err)
	unsupported := ok && failed.Delete == nil && errors.Is(failed.Revoke, oauth.ErrUnsupported)
	if err != nil && !unsupported {
		return err
	}
	if unread == nil {
		e.forgetConfirmed(c)
	}
	if unsupported {
		e.say("logged out of %q: removed here; the server cannot revoke the access token, which %s", profile, report.Remains(c.Token.Expiry))
		return nil
	}
	e.say("logged out of %q: revoked at the server and removed here", profile)
	return nil
}

// notSignedIn is the error about a profile that is to be removed and is not stored.
// Nobody needs to sign in for that, but an agent may keep it.
func (e *call) notSignedIn(profile string, err error) error {
	if !errors.Is(err, mcplogin.ErrLoginRequired) {
		return nil
	}
	hint := suggest.MCPLogin("list").With(e.StoreFlags()...).String()
	if e.getenv(invocation.AgentVariable) != "" {
		_, hint = e.Remedy().For(err)
	}
	return &exit.Error{Code: exit.LoginRequired, Text: fmt.Sprintf("not signed in to %q", profile), Hint: hint}
}
