package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/source"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

type agentOptions struct {
	common
	socket, forward string
	allow, sinks    cli.StringSlice
	confirm, keep   bool
	audit, metrics  string
}

func newAgent(e *call) *cli.Command {
	var o agentOptions
	return e.command(&cli.Command{
		Name: "agent", Usage: "Run an agent that refreshes tokens and issues them over a socket",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login agent --forward-socket ~/lent.sock --allow notion   # then: ssh -R /home/me/lent.sock:$HOME/lent.sock HOST",
		Description: "It keeps the named credentials, or all of them. Set MCP_LOGIN_AGENT_SOCK to its socket, on another host too if you forward it. The commands env, exec, headers, token, status, list, refresh, test, proxy and hook then use the agent instead of the store. " +
			"It serves only the user that it runs as, and applies the configuration of each profile. SIGHUP reloads the configuration and the store and reopens the audit log. SIGTERM, or the end of its terminal, stops it after the requests in flight. " +
			"A service manager can pass sockets (LISTEN_FDS); --allow limits the one named forward.",
		Flags: []cli.Flag{
			stringFlag("socket", "`PATH` of the socket (default: mcp-login/agent.sock in XDG_RUNTIME_DIR, or in your state folder)", "", &o.socket),
			stringFlag("forward-socket", "`PATH` of a second socket, to forward to other hosts. It issues tokens only for the profiles in --allow", "", &o.forward),
			&cli.StringSliceFlag{Name: "allow", Usage: "Profile `NAME` that the second socket issues tokens for (repeatable)", Destination: &o.allow, EnvVars: envVar("allow")},
			&cli.StringSliceFlag{Name: "sink", Usage: "Keep a valid token in a file that only you can read, and remove it at exit: `NAME=FILE`, or NAME=FILE,format=FORMAT for token, header, env or json (repeatable)", Destination: &o.sinks, EnvVars: envVar("sink")},
			boolFlag("keep-sinks", "Keep the files of --sink at exit", &o.keep),
			boolFlag("confirm", "Ask at this terminal before issuing a token", &o.confirm),
			stringFlag("audit", "Audit log `FILE`, with one JSON line per request (default: mcp-login/agent-audit.jsonl in your state folder)", "", &o.audit),
			metricsFlag(&o.metrics),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runAgent(ctx, e, &o, args) })
}

func runAgent(ctx context.Context, e *call, o *agentOptions, profiles []string) error {
	if err := checkNames(profiles); err != nil {
		return err
	}
	store, err := e.openStore(ctx, &o.common, false)
	if err != nil {
		return err
	}
	defer e.keepAlive(ctx, store)()
	kept := &agentd.Kept{Named: profiles, Base: e.kept(&o.common), Store: store, Read: e.keptSettings}
	if err := kept.Start(ctx); err != nil {
		return err
	}
	defer kept.Close()
	cfg := agentd.Config{Log: e.slog(), Profiles: kept.Profiles, Adapt: kept.Adapt}
	if cfg.Session, err = e.config(&o.common, source.Source{Store: store}, ""); err != nil {
		return err
	}
	log, closeAll, err := agentSetup(e, o, profiles).Open(&cfg)
	defer closeAll()
	if err != nil {
		return err
	}
	a, err := agentd.New(cfg)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	stop := agentd.OnHangup(cfg.Log, terminal.Streams{TTY: terminal.OpenTTY}.CanAsk, end, func() error { return errors.Join(log.Reopen(), kept.Reload(), a.Reload(ctx)) })
	defer stop()
	sockets, remove, err := e.agentSockets(o)
	defer remove()
	if err != nil {
		return err
	}
	return a.Run(ctx, sockets...)
}

func checkNames(profiles []string) error {
	for _, name := range profiles {
		if err := secrets.CheckName(name); err != nil {
			return fmt.Errorf("profile %q: %w", name, err)
		}
	}
	return nil
}

// agentSetup returns what the flags say.
func agentSetup(e *call, o *agentOptions, profiles []string) agentd.Setup {
	s := agentd.Setup{Named: profiles, Sinks: o.sinks.Value(), KeepSinks: o.keep, Metrics: o.metrics, Say: e.say, Audit: func() (string, error) {
		if o.audit != "" {
			return o.audit, nil
		}
		return e.userDir(e.dirs().AgentAudit())
	}}
	if o.confirm {
		s.Dialog = e.confirmDialog
	}
	return s
}

// agentSockets returns the sockets to serve, and shows where they are.
func (e *call) agentSockets(o *agentOptions) (sockets []agentd.Socket, remove func(), err error) {
	sockets, remove, err = agentd.Sockets(e.getenv, o.allow.Value(), o.forward, func() (string, error) {
		if o.socket != "" {
			return o.socket, nil
		}
		return e.userDir(e.dirs().AgentSocket())
	})
	for _, s := range sockets {
		if s.Path == "" { // the service manager knows
			return sockets, remove, err
		}
		e.say("%s socket: %s", s.Name, s.Path)
	}
	if err == nil {
		e.say("next: export MCP_LOGIN_AGENT_SOCK=%s", suggest.Command{sockets[0].Path})
	}
	return sockets, remove, err
}

// confirmDialog opens the terminal for --confirm. The log is held back while a
// question stands there.
func (e *call) confirmDialog() (agentd.Dialog, error) {
	dialog, err := e.streams().OpenDialog()
	if err != nil {
		return agentd.Dialog{}, exit.Usagef("--confirm needs a terminal")
	}
	d := agentd.Dialog{Dialog: dialog, Log: &agentd.HeldLog{To: e.err}}
	if e.streams().Interactive() {
		e.hidden.Redirect(d.Log)
	}
	return d, nil
}

// kept returns where and how profiles of these options are kept.
func (e *call) kept(o *common) agentd.Options {
	var others []string // the settings that have no flag
	for _, key := range variables.WithoutFlag() {
		others = append(others, e.Setting(key.Name))
	}
	return agentd.Options{
		All:   fmt.Sprintf("%#v %q", *o, others),
		Store: fmt.Sprintf("%q", append(others, o.Store, o.ProfileDir, o.Keeper, o.CACert)),
		Open: func(ctx context.Context) (secrets.Store, func(), error) {
			store, err := e.openStore(ctx, o, false)
			if err != nil {
				return nil, nil, err
			}
			return store, e.keepAlive(ctx, store), nil
		},
		Config: func(store secrets.Store) (mcplogin.Config, error) {
			return e.config(o, source.Source{Store: store}, "")
		},
	}
}

// keptSettings reads the configuration for the agent.
func (e *call) keptSettings() (agentd.Settings, error) {
	file, err := readConfig(&e.env)()
	if err != nil {
		return nil, err
	}
	own := *e
	own.File = file
	return keptSettings{&own}, nil
}

// keptSettings is what a configuration says of the profiles of an agent.
type keptSettings struct{ call *call }

// Profiles implements agentd.Settings.
func (s keptSettings) Profiles() []string { return s.call.File.Profiles() }

// Of implements agentd.Settings.
func (s keptSettings) Of(profile string) (agentd.Options, error) {
	own, o, err := s.call.forProfile(profile)
	if err != nil {
		return agentd.Options{}, err
	}
	return own.kept(o), nil
}
