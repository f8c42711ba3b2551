package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

type clientConfigOptions struct {
	common
	fromAgent
	client, program string
}

func newClientConfig(e *env) *cli.Command {
	var o clientConfigOptions
	c := &cli.Command{
		Name:      "client-config",
		Usage:     "Print the configuration for an MCP client",
		UsageText: "mcp-login client-config notion --for claude-code",
		ArgsUsage: "NAME [URL]",
		Description: "Clients that can run a command for their headers are given one, so that they always have a fresh token. " +
			"The others read a variable, which `mcp-login exec NAME -- CLIENT` sets. URL is the stored credential's unless given.",
		Flags: append([]cli.Flag{
			stringFlag("for", "the `CLIENT`: "+strings.Join(clientconfig.Names(), ", "), "generic", &o.client),
			stringFlag("program", "how the client is to start mcp-login (default: the absolute `PATH` of this program)", "", &o.program),
		}, o.fromAgent.flags()...),
	}
	return e.command(c, &o.common, func(ctx context.Context, args []string) error { return runClientConfig(ctx, e, o, args) })
}

func runClientConfig(ctx context.Context, e *env, o clientConfigOptions, args []string) error {
	client, ok := clientconfig.Find(o.client)
	if !ok {
		return usagef("--for %q: give one of %s", o.client, strings.Join(clientconfig.Names(), ", "))
	}
	url, err := e.serverOf(ctx, &o, args)
	if err != nil {
		return err
	}
	program := o.program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program's path: %w", err)
		}
	}
	helper := slices.Concat([]string{program, "headers", args[0], "--json"}, e.again(),
		e.repeated(o.common.flags(), "store", "profile-dir", "keeper", "ca-cert", "log-level", "log-format"))
	for i, word := range helper {
		helper[i] = clientconfig.Quote(runtime.GOOS, word)
	}
	if err := e.answerData([]byte(client.Snippet(clientconfig.Entry{
		Profile: args[0], URL: url, Helper: strings.Join(helper, " "), Variable: freePrefix(args[0]) + "_AUTHORIZATION",
	}))); err != nil {
		return err
	}
	e.say("This goes into %s.", client.File)
	if !client.Helper {
		e.say("Start the client with: %s", suggest.MCPLogin("exec", args[0]).With(needsPrefix(args[0])...).With(e.again()...).With("--", "COMMAND"))
	}
	return nil
}

// serverOf returns the URL that was given, else the stored credential's.
func (e *env) serverOf(ctx context.Context, o *clientConfigOptions, args []string) (string, error) {
	if len(args) > 1 {
		if _, err := oauth.CheckURL(args[1]); err != nil {
			return "", usagef("URL: %w", err)
		}
		return args[1], e.isFor(ctx, o, args[0], args[1])
	}
	return e.storedServer(ctx, o, args[0])
}

// isFor refuses a server that the profile is not for: its client would send it
// the token of another. What is not stored, or cannot be read here, is for any.
func (e *env) isFor(ctx context.Context, o *clientConfigOptions, profile, server string) error {
	stored, err := e.storedServer(ctx, o, profile)
	if err != nil {
		e.log.Debug().Err(err).Msg("the stored credential cannot be compared")
		return nil
	}
	if stored != server {
		return &mcplogin.ServerChangedError{Profile: profile, Stored: stored, Given: server}
	}
	return nil
}

func (e *env) storedServer(ctx context.Context, o *clientConfigOptions, profile string) (string, error) {
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
	if err != nil {
		return "", err
	}
	r, err := e.report(ctx, &o.common, from, profile)
	return r.Server, err
}
