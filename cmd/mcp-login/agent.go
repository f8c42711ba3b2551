package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
)

type agentOptions struct {
	common
	socket, forward string
	allow, sinks    cli.StringSlice
	confirm, keep   bool
	audit, metrics  string
}

func newAgent(e *env) *cli.Command {
	var o agentOptions
	return e.command(&cli.Command{
		Name: "agent", Usage: "Keep credentials fresh and issue their tokens over a socket",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login agent --forward-socket ~/lent.sock --allow notion   # then: ssh -R /home/me/lent.sock:$HOME/lent.sock HOST",
		Description: "Keeps the named credentials, or all that are stored. Set MCP_LOGIN_AGENT_SOCK to its socket, on another host too if you forward it: env, exec, headers, token, status, list, refresh, test, proxy and hook then use the agent instead of the store. " +
			"It serves only the user that it runs as, and applies the configuration of each profile. SIGHUP makes it read the configuration and the store again and reopen its audit log. SIGTERM, or the end of its terminal, ends it after the requests in flight. " +
			"A service manager may pass sockets (LISTEN_FDS); one of the name forward is limited by --allow.",
		Flags: []cli.Flag{
			stringFlag("socket", "`PATH` of the socket (default: mcp-login/agent.sock in XDG_RUNTIME_DIR, else in your state folder)", "", &o.socket),
			stringFlag("forward-socket", "`PATH` of a second socket, to forward to other hosts, that issues tokens only for the profiles of --allow", "", &o.forward),
			&cli.StringSliceFlag{Name: "allow", Usage: "`NAME` that the second socket issues tokens for; repeat it for more", Destination: &o.allow, EnvVars: envVar("allow")},
			&cli.StringSliceFlag{Name: "sink", Usage: "Keep a valid token in a file that only you can read, which is removed at exit: `NAME=FILE`, or NAME=FILE,format=FORMAT for token, header, env or json; repeat it for more", Destination: &o.sinks, EnvVars: envVar("sink")},
			boolFlag("keep-sinks", "Keep the files of --sink at exit", &o.keep),
			boolFlag("confirm", "Ask at this terminal before a token is issued", &o.confirm),
			stringFlag("audit", "Audit log `FILE`, one line of JSON for each request (default: mcp-login/agent-audit.jsonl in your state folder)", "", &o.audit),
			stringFlag("metrics-listen", "Serve Prometheus metrics at http://`ADDRESS`/metrics, such as 127.0.0.1:9090; any program on this machine can read them", "", &o.metrics),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runAgent(ctx, e, &o, args) })
}

func runAgent(ctx context.Context, e *env, o *agentOptions, profiles []string) error {
	for _, name := range profiles {
		if err := secrets.CheckName(name); err != nil {
			return fmt.Errorf("profile %q: %w", name, err)
		}
	}
	store, err := e.openStore(ctx, &o.common, false)
	if err != nil {
		return err
	}
	kept := newKept(ctx, e, &o.common, store, profiles)
	defer kept.close()
	cfg := agentd.Config{Log: e.slog(), Profiles: kept.names, Adapt: kept.adapt}
	if cfg.Session, err = e.config(&o.common, source{store: store}, ""); err != nil {
		return err
	}
	if o.confirm {
		terminal, err := newConfirmTerminal(e)
		if err != nil {
			return err
		}
		defer terminal.Close()
		cfg.Confirm = agentd.NewConfirmer(terminal).Confirm
	}
	if cfg.Sinks, err = e.tokenSinks(o.sinks.Value(), profiles); err != nil {
		return err
	}
	cfg.KeepSinks = o.keep
	path, err := e.auditPath(o.audit)
	if err != nil {
		return err
	}
	log, err := agentd.OpenAudit(path)
	if err != nil {
		return err
	}
	defer log.Close()
	cfg.Audit = log
	if o.metrics != "" {
		if cfg.Metrics, err = e.listenMetrics(o.metrics); err != nil {
			return err
		}
		defer cfg.Metrics.Close() // again, if it was served
	}
	a, err := agentd.New(cfg)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	stop := e.onHangup(end, func() error { return errors.Join(log.Reopen(), kept.reload(), a.Reload(ctx)) })
	defer stop()
	sockets, remove, err := e.agentSockets(o)
	defer remove()
	if err != nil {
		return err
	}
	return a.Run(ctx, sockets...)
}

// tokenSinks reads --sink. The named profiles are those that the agent keeps,
// none for all.
func (e *env) tokenSinks(texts, profiles []string) (sinks []agentd.Sink, err error) {
	taken := map[string]bool{}
	for _, text := range texts {
		s, err := agentd.ParseSink(text)
		switch {
		case err != nil:
			return nil, usageError{fmt.Errorf("--sink %w", err)}
		case taken[s.Path]:
			return nil, usagef("--sink %q: another token is kept in %s", text, s.Path)
		case len(profiles) > 0 && !slices.Contains(profiles, s.Profile):
			return nil, usagef("--sink %q: the agent is told to keep %s, add %s", text, strings.Join(profiles, ", "), s.Profile)
		}
		if err := s.Check(); err != nil {
			return nil, &codeError{code: exitFailed, text: fmt.Sprintf("--sink %q: %v", text, err)}
		}
		taken[s.Path] = true
		sinks = append(sinks, s)
		e.say("sink of %q: %s", s.Profile, s.Path)
	}
	return sinks, nil
}

func (e *env) listenMetrics(address string) (net.Listener, error) {
	l, err := netcheck.Listen(address)
	switch {
	case errors.Is(err, netcheck.ErrAddress):
		return nil, usageError{fmt.Errorf("--metrics-listen %w", err)}
	case err != nil:
		return nil, &codeError{code: exitFailed, text: "--metrics-listen: " + err.Error()} // not the network's fault, so not to be tried again
	}
	e.say("metrics: http://%s/metrics", l.Addr())
	return l, nil
}

// auditPath returns where the audit log is, unless a flag says so.
func (e *env) auditPath(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	return e.userDir(e.dirs().AgentAudit())
}

// agentSockets returns the sockets that a service manager passed, else makes
// those that the flags name. Remove takes away what was made, even if an error
// is returned.
func (e *env) agentSockets(o *agentOptions) (sockets []agentd.Socket, remove func(), err error) {
	var made []func()
	remove = func() {
		for _, f := range made {
			f()
		}
	}
	allow := o.allow.Value()
	if sockets, err = agentd.Inherited(e.getenv, allow); err != nil {
		return nil, remove, usageError{err} // not the network's fault, so not to be tried again
	}
	if len(sockets) > 0 {
		return sockets, remove, nil
	}
	if (o.forward == "") != (len(allow) == 0) {
		return nil, remove, usagef("agent: --forward-socket and --allow go together")
	}
	path := o.socket
	if path == "" {
		if path, err = e.userDir(e.dirs().AgentSocket()); err != nil {
			return nil, remove, err
		}
	}
	wanted := []agentd.Socket{{Name: "agent"}}
	paths := []string{path}
	if o.forward != "" {
		wanted = append(wanted, agentd.Socket{Name: agentd.ForwardName, Allow: allow})
		paths = append(paths, o.forward)
	}
	for i, s := range wanted {
		full, err := filepath.Abs(paths[i])
		if err != nil {
			return nil, remove, err
		}
		l, gone, err := agentd.Listen(full)
		if err != nil {
			return nil, remove, err
		}
		made = append(made, gone)
		s.Listener, s.Path = l, full
		sockets = append(sockets, s)
		e.say("%s socket: %s", s.Name, full)
	}
	e.say("next: export MCP_LOGIN_AGENT_SOCK=%s", suggest.Command{path})
	return sockets, remove, nil
}
