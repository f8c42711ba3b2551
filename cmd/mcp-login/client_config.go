package main

import (
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
		Description: "A client gets its token from a command that prints headers, if it can run one, or else through `mcp-login proxy`." +
			"\n\nURL defaults to the stored credential's. --write changes the client's file and keeps a backup beside it. " +
			"--migrate replaces mcp-remote in the files of all known clients.",
		Flags: append([]cli.Flag{
			stringFlag("for", "Configuration for `CLIENT`, such as cursor. The clients are "+strings.Join(clientconfig.Names(), ", "), "generic", &o.client),
			stringFlag("via", "`WAY` that the client gets the token: proxy, helper or variable. A helper is a command that prints headers; mcp-login exec sets a variable (default: helper if the client supports it, or proxy)", "", &o.via),
			boolFlag("write", "Write the configuration to the client's file", &o.write),
			boolFlag("remove", "Remove what this command wrote", &o.remove),
			stringFlag("file", "Configuration `FILE` (default: the client's, for all projects). It can be the file of one project", "", &o.file),
			boolFlag("migrate", "Replace mcp-remote in the files of all known clients", &o.migrate),
			boolFlag("yes", "With --migrate: change the files without asking", &o.yes),
			stringFlag("program", "`PATH` of mcp-login to write (default: where this program is)", "", &o.program),
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
	if o.write && o.remove {
		return exit.Usagef("client-config: use either --write or --remove")
	}
	if len(args) == 0 {
		return exit.Usagef("client-config: NAME is missing: mcp-login client-config NAME --for CLIENT")
	}
	client, ok := clientconfig.Find(o.client)
	if !ok {
		return exit.Unknown("--for", o.client, clientconfig.Names())
	}
	via, err := client.Way(o.via)
	if err != nil {
		return err
	}
	if o.remove {
		return o.editor(e).Remove(client, args[0])
	}
	url, err := serverOf(ctx, e, &o, args)
	if err != nil {
		return err
	}
	entry := entryOf(e, &o, args[0], url)
	if o.write {
		if changed, err := o.editor(e).Write(client, entry, via); err != nil || !changed {
			return err
		}
		afterEntry(e, client, args[0], via)
		return nil
	}
	if err := e.answerData([]byte(client.Snippet(entry, via))); err != nil {
		return err
	}
	if file := o.editor(e).FileOf(client); file != "" {
		e.say("Add this to %s, or run the command with --write.", e.dirs().Tilde(file))
	}
	if client.Else != "" {
		e.say("%s", client.Else)
	}
	afterEntry(e, client, args[0], via)
	return nil
}

// editor returns the editor for the files of clients.
func (o *clientConfigOptions) editor(e *call) clientconfig.Editor {
	return clientconfig.Editor{Places: clientconfig.PlacesHere(e.getenv), File: o.file, Say: e.say, Agree: e.agree, Confirm: e.streams().Confirm}
}

// runMigrate replaces mcp-remote in the files of all clients. It prints the
// plan and changes the files after confirmation.
func runMigrate(ctx context.Context, e *call, o clientConfigOptions, args []string) error {
	if len(args) > 0 || slices.ContainsFunc([]string{"for", "via", "write", "remove", "file"}, e.Typed) {
		return exit.Usagef("--migrate takes no NAME, and only the flags --yes and --program")
	}
	all, complete := o.editor(e).Find(o.program)
	if err := e.answer(clientconfig.Plan(all)); err != nil {
		return err
	}
	return o.editor(e).Migrate(ctx, all, complete)
}

// entryOf returns the client's entry for a profile.
func entryOf(e *call, o *clientConfigOptions, profile, url string) clientconfig.Entry {
	reach := invocation.FromAnywhere(slices.Concat(e.Again(), e.Line.Repeated(describeFlags(o.common.flags()), "store", "profile-dir", "keeper", "ca-cert", "log-level", "log-format")))
	entry := clientconfig.NewEntry(clientconfig.PlacesHere(e.getenv), o.program, profile, url, reach)
	entry.Variable = variables.FreePrefix(profile) + "_AUTHORIZATION"
	return entry
}

// afterEntry prints what else a client needs.
func afterEntry(e *call, client clientconfig.Client, profile string, via clientconfig.Via) {
	if client.Note != "" && via == clientconfig.Proxy {
		e.say("%s", client.Note)
	}
	if via == clientconfig.Variable {
		e.say("Start the client with: %s", suggest.MCPLogin("exec", profile).With(variables.PrefixFlag(profile)...).With(e.Again()...).With("--", "COMMAND"))
	}
}

// serverOf returns the URL of the arguments, else that of the stored
// credential.
func serverOf(ctx context.Context, e *call, o *clientConfigOptions, args []string) (string, error) {
	if len(args) > 1 {
		if _, err := oauth.CheckURL(args[1]); err != nil {
			return "", exit.Usage(err)
		}
		return args[1], isFor(ctx, e, o, args[0], args[1])
	}
	return storedServer(ctx, e, o, args[0])
}

// isFor rejects a server that the profile does not belong to: the client would
// send it the token of another server. It accepts any server for a profile that
// is not stored or cannot be read here.
func isFor(ctx context.Context, e *call, o *clientConfigOptions, profile, server string) error {
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
	opener := e.open(&o.common)
	from, err := opener.Source(ctx, o.agentSock, false)
	if err != nil {
		return "", err
	}
	r, err := opener.Report(ctx, from, profile)
	return r.Server, err
}
