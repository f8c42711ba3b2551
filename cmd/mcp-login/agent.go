package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

type agentOptions struct {
	common
	socket, forward           string
	allow, sinks              list
	confirm, keep, background bool
	audit, metrics, logFile   string
}

func newAgent(e *call) *cli.Command {
	var o agentOptions
	return e.command(&cli.Command{
		Name: "agent", Usage: "Run an agent that refreshes tokens and issues them over a socket", Subcommands: agentCommands(e),
		ArgsUsage: "[NAME...]", UsageText: suggest.Eval(suggest.MCPLogin("agent", "--background")),
		Description: "It keeps the named credentials, or all of them.\n\nSet MCP_LOGIN_AGENT_SOCK to its socket, on another host too if you forward it. The commands env, exec, headers, token, status, list, refresh, test, proxy and hook then use the agent instead of the store. " +
			"It serves only the user that it runs as, and applies the configuration of each profile. SIGHUP reloads the configuration and the store and reopens the audit log. SIGTERM, or the end of its terminal, stops it after the requests in flight. " +
			"At a terminal it shows each event. To forward a socket to another host, run " +
			"mcp-login agent --forward-socket ~/forward.sock --allow notion, then ssh -R /home/me/forward.sock:$HOME/forward.sock HOST. " +
			"A service manager can pass sockets (LISTEN_FDS); --allow limits the one named forward.",
		Flags: slices.Concat([]cli.Flag{
			boolFlag("background", "Run in the background, and print the variables to set", &o.background),
			stringFlag("socket", "`PATH` of the socket (default: in the runtime folder). It is mcp-login/agent.sock in XDG_RUNTIME_DIR, or in your state folder", "", &o.socket),
			listFlag("sink", "Keep a valid token in a file: `NAME=FILE` (repeatable). Only you can read the file, which is removed at exit. NAME=FILE,format=FORMAT writes it as token, header, env or json", &o.sinks),
			boolFlag("confirm", "Ask at this terminal before issuing a token", &o.confirm),
		}, grouped(groupNetwork,
			stringFlag("forward-socket", "`PATH` of a second socket, to forward to other hosts. It issues tokens only for the profiles in --allow", "", &o.forward),
			listFlag("allow", "Profile `NAME` that the second socket issues tokens for (repeatable)", &o.allow),
		), grouped(groupGlobal,
			boolFlag("keep-sinks", "Keep the files of --sink at exit", &o.keep),
			stringFlag("audit", "Audit log `FILE`, with one JSON line per request (default: mcp-login/agent-audit.jsonl in your state folder)", "", &o.audit),
			stringFlag("log-file", "Log `FILE` for --background (default: mcp-login/agent.log in your state folder)", "", &o.logFile),
			metricsFlag(&o.metrics),
		)),
	}, &o.common, func(ctx context.Context, args []string) error {
		if o.background {
			return startAgent(ctx, e, &o)
		}
		return runAgent(ctx, e, &o, args)
	})
}

func runAgent(ctx context.Context, e *call, o *agentOptions, profiles []string) error {
	opener := e.open(&o.common)
	store, err := opener.OpenStore(ctx, false)
	if err != nil {
		return err
	}
	defer opener.KeepAlive(ctx, store)()
	if err := notCommand(ctx, e, store, profiles); err != nil {
		return err
	}
	session, err := opener.Config(access.Source{Store: store}, "")
	if err != nil {
		return err
	}
	s := agentd.Setup{
		Socket: usualPath(e, o.socket, e.dirs().AgentSocket), Forward: o.forward, Allow: o.allow,
		Sinks: o.sinks, KeepSinks: o.keep, Audit: usualPath(e, o.audit, e.dirs().AgentAudit), Metrics: o.metrics,
		Log: e.slog(), Getenv: e.getenv, Say: e.say,
	}
	if o.confirm {
		s.Dialog = func() (agentd.Dialog, error) { return agentd.OpenDialog(e.streams(), e.hidden.Redirect) }
	}
	if e.streams().Interactive() && !e.Chosen("log-level") && !e.Chosen("log-format") { // the user sees each event
		s.Log = slog.New(agentd.People{W: e.hidden})
	}
	return s.Serve(ctx, &agentd.Kept{Named: profiles, Base: keptOptions(e, &o.common), Store: store, Read: func() (agentd.Settings, error) { return readKept(e) }}, session)
}

// notCommand returns an error for a misspelled command of the agent that is not
// a profile.
func notCommand(ctx context.Context, e *call, store secrets.Store, profiles []string) error {
	if len(profiles) != 1 {
		return nil
	}
	meant, ok := suggest.Closest(profiles[0], []string{"status", "stop", "install"})
	if !ok || slices.Contains(e.File.Profiles(), profiles[0]) {
		return nil
	}
	stored, err := store.List(ctx)
	if err != nil || slices.Contains(stored, profiles[0]) {
		return err
	}
	return exit.Usagef("unknown command \"agent %s\", did you mean %s?", profiles[0], meant)
}

// usualPath returns a function that returns the named path, else this user's default
// path.
func usualPath(e *call, named string, find func() (string, error)) func() (string, error) {
	return func() (string, error) {
		if named != "" {
			return named, nil
		}
		return e.dirs().Writable(find())
	}
}

// keptOptions returns the agent's options for profiles with these options.
func keptOptions(e *call, o *common) agentd.Options {
	opener := e.open(o)
	var others []string // the settings without a flag
	for _, key := range variables.WithoutFlag() {
		others = append(others, e.Setting(key.Name))
	}
	return agentd.Options{
		All:   fmt.Sprintf("%#v %q", *o, others),
		Store: fmt.Sprintf("%q", append(others, o.Store, o.ProfileDir, o.Keeper, o.CACert)),
		Open: func(ctx context.Context) (secrets.Store, func(), error) {
			store, err := opener.OpenStore(ctx, false)
			if err != nil {
				return nil, nil, err
			}
			return store, opener.KeepAlive(ctx, store), nil
		},
		Config: func(store secrets.Store) (mcplogin.Config, error) {
			return opener.Config(access.Source{Store: store}, "")
		},
	}
}

// readKept reads the configuration for the agent.
func readKept(e *call) (agentd.Settings, error) {
	own, err := *e, error(nil)
	own.File, err = readConfig(&e.env)()
	return agentd.Settings{Profiles: own.File.Profiles(), Of: func(profile string) (agentd.Options, error) {
		of, o, err := own.forProfile(profile)
		if err != nil {
			return agentd.Options{}, err
		}
		return keptOptions(of, o), nil
	}}, err
}
