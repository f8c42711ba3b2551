package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/oauth"
)

type clientConfigOptions struct {
	common
	fromAgent
	client, via, program, file  string
	write, remove, migrate, yes bool
}

func newClientConfig(e *call) *cli.Command {
	var o clientConfigOptions
	c := &cli.Command{
		Name:      "client-config",
		Usage:     "Print or write the configuration of an MCP client",
		UsageText: "mcp-login client-config notion --for claude-code --write",
		ArgsUsage: "[NAME] [URL]",
		Description: "A client gets its token from a command that prints headers, if it can run one, or else through `mcp-login proxy`. " +
			"URL defaults to the stored credential's. --write changes the client's file and keeps a backup beside it. " +
			"--migrate replaces mcp-remote in the files of all known clients.",
		Flags: append([]cli.Flag{
			stringFlag("for", "Configuration for `CLIENT`: "+strings.Join(clientconfig.Names(), ", "), "generic", &o.client),
			stringFlag("via", "`WAY` that the client gets the token: proxy, helper (a command that prints headers) or variable (set by mcp-login exec) (default: helper if the client supports it, or proxy)", "", &o.via),
			boolFlag("write", "Write the configuration to the client's file", &o.write),
			boolFlag("remove", "Remove the configuration from the client's file", &o.remove),
			stringFlag("file", "Configuration `FILE` of the client, such as a project's (default: the client's file for all projects)", "", &o.file),
			boolFlag("migrate", "Replace mcp-remote with mcp-login in the files of all known clients", &o.migrate),
			boolFlag("yes", "With --migrate: change the files without asking", &o.yes),
			stringFlag("program", "`PATH` of mcp-login in the configuration (default: the absolute path of this program)", "", &o.program),
		}, o.fromAgent.flags()...),
	}
	return e.command(c, &o.common, func(ctx context.Context, args []string) error { return runClientConfig(ctx, e, o, args) })
}

func runClientConfig(ctx context.Context, e *call, o clientConfigOptions, args []string) (err error) {
	if o.program == "" {
		if o.program, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program's path: %w", err)
		}
	}
	if o.migrate {
		return runMigrate(ctx, e, o, args)
	}
	if len(args) == 0 {
		return exit.Usagef("client-config: NAME is missing: mcp-login client-config NAME --for CLIENT")
	}
	client, ok := clientconfig.Find(o.client)
	if !ok {
		return exit.Usagef("--for %q: use one of %s", o.client, strings.Join(clientconfig.Names(), ", "))
	}
	via := cmp.Or(clientconfig.Via(o.via), client.Default())
	if !client.Can(via) {
		return exit.Usage(fmt.Errorf("--via: %w", &clientconfig.CannotError{Client: client, Via: via}))
	}
	if o.remove {
		return removeEntry(e, o, client, args[0])
	}
	url, err := e.serverOf(ctx, &o, args)
	if err != nil {
		return err
	}
	entry := e.entry(&o, args[0], url)
	if o.write {
		return writeEntry(e, o, client, entry, via)
	}
	if err := e.answerData([]byte(client.Snippet(entry, via))); err != nil {
		return err
	}
	if file := clientFile(e, o, client); file != "" {
		e.say("Add this to %s, or run the command with --write.", file)
	}
	if client.Else != "" {
		e.say("%s", client.Else)
	}
	e.afterEntry(client, args[0], via)
	return nil
}

// entry returns what a client is to know of a profile.
func (e *call) entry(o *clientConfigOptions, profile, url string) clientconfig.Entry {
	reach := invocation.FromAnywhere(slices.Concat(e.Again(), e.Line.Repeated(describeFlags(o.common.flags()), "store", "profile-dir", "keeper", "ca-cert", "log-level", "log-format")))
	entry := clientconfig.NewEntry(e.places(), o.program, profile, url, reach)
	entry.Variable = variables.FreePrefix(profile) + "_AUTHORIZATION"
	return entry
}

func writeEntry(e *call, o clientConfigOptions, client clientconfig.Client, entry clientconfig.Entry, via clientconfig.Via) error {
	file, err := e.namedFile(o, client)
	if err != nil {
		return err
	}
	change, err := client.Add(file, entry, via)
	if err != nil {
		return err
	}
	if change.Empty() {
		e.say("%s already has %q", change.Path, entry.Name())
		return nil
	}
	if err := e.apply(change, fmt.Sprintf("added %q to %s", entry.Name(), change.Path)); err != nil {
		return err
	}
	e.afterEntry(client, entry.Profile, via)
	return nil
}

func removeEntry(e *call, o clientConfigOptions, client clientconfig.Client, profile string) error {
	file, err := e.namedFile(o, client)
	if err != nil {
		return err
	}
	entry := clientconfig.Entry{Profile: profile}
	change, found, err := client.Remove(file, entry)
	if err != nil {
		return err
	}
	if !found {
		e.say("%s has no %q", file, entry.Name())
		return nil
	}
	return e.apply(change, fmt.Sprintf("removed %q from %s", entry.Name(), change.Path))
}

// apply writes a file, and says so.
func (e *call) apply(c clientconfig.Change, done string) error {
	if err := c.Apply(); err != nil {
		return err
	}
	if c.Backup != "" {
		done += "; backup: " + c.Backup
	}
	e.say("%s", done)
	return nil
}

// afterEntry says what else a client needs.
func (e *call) afterEntry(client clientconfig.Client, profile string, via clientconfig.Via) {
	if client.Note != "" && via == clientconfig.Proxy {
		e.say("%s", client.Note)
	}
	if via == clientconfig.Variable {
		e.say("Start the client with: %s", suggest.MCPLogin("exec", profile).With(variables.PrefixFlag(profile)...).With(e.Again()...).With("--", "COMMAND"))
	}
}

func (e *call) places() clientconfig.Places { return clientconfig.PlacesHere(e.getenv) }

func clientFile(e *call, o clientConfigOptions, client clientconfig.Client) string {
	return cmp.Or(o.file, client.File(e.places()))
}

// namedFile returns the file to change.
func (e *call) namedFile(o clientConfigOptions, client clientconfig.Client) (string, error) {
	file := clientFile(e, o, client)
	if file == "" {
		return "", exit.Usagef("the configuration file of %s is unknown; use --for CLIENT or --file FILE", client.Title)
	}
	return file, nil
}

// serverOf returns the URL that was given, else the stored credential's.
func (e *call) serverOf(ctx context.Context, o *clientConfigOptions, args []string) (string, error) {
	if len(args) > 1 {
		if _, err := oauth.CheckURL(args[1]); err != nil {
			return "", exit.Usagef("URL: %w", err)
		}
		return args[1], e.isFor(ctx, o, args[0], args[1])
	}
	return storedServer(ctx, e, o, args[0])
}

// isFor refuses a server that the profile is not for: its client would send it
// the token of another. What is not stored, or cannot be read here, is for any.
func (e *call) isFor(ctx context.Context, o *clientConfigOptions, profile, server string) error {
	stored, err := storedServer(ctx, e, o, profile)
	if err != nil {
		e.log.Debug().Err(err).Msg("cannot compare the stored credential")
		return nil
	}
	if stored != server {
		return &mcplogin.ServerChangedError{Profile: profile, Stored: stored, Given: server}
	}
	return nil
}

func storedServer(ctx context.Context, e *call, o *clientConfigOptions, profile string) (string, error) {
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
	if err != nil {
		return "", err
	}
	r, err := e.report(ctx, &o.common, from, profile)
	return r.Server, err
}
