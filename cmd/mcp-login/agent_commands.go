package main

import (
	"context"
	"errors"
	"os"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/subprocess"
)

// startAgent starts the agent of this command line in the background, and prints the
// variables that name it.
func startAgent(ctx context.Context, e *call, o *agentOptions) error {
	if o.confirm {
		return exit.Usagef("agent: --background and --confirm cannot be used together, because --confirm needs a terminal")
	}
	b := agentd.Background{
		Socket: usualPath(e, o.socket, e.dirs().AgentSocket), Log: usualPath(e, o.logFile, e.dirs().AgentLog), Environ: e.secrets.Into(os.Environ()),
		Args: e.Line.Again(func(p commandline.Part) []string {
			switch {
			case !p.IsFlag || p.Flag != "background" && p.Flag != "log-file":
				return p.Words
			case p.Flag == "log-file" || e.Chosen("log-level"):
				return nil
			}
			return []string{"--log-level=info"} // the events that a terminal shows
		})[1:],
	}
	s, err := b.Start(ctx)
	if err != nil {
		return err
	}
	shell, _ := envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	text, err := s.Export(shell)
	if err != nil {
		return err
	}
	e.say("the agent is running in the background (pid %d); log: %s", s.PID, e.dirs().Tilde(s.Log))
	return e.answerData(text)
}

// agentCommands start, stop and describe an agent.
func agentCommands(e *call) []*cli.Command {
	var o struct {
		common
		fromAgent
		json, remove bool
	}
	return []*cli.Command{
		e.command(&cli.Command{
			Name: "status", Usage: "Show whether the agent is running, and its credentials", UsageText: "mcp-login agent status",
			Description: "The exit code is 7 if no agent is running.", Flags: append([]cli.Flag{boolFlag("json", "Print JSON", &o.json)}, o.fromAgent.flags()...),
		}, &o.common, func(ctx context.Context, _ []string) error { return runAgentStatus(ctx, e, o.agentSock, o.json) }),
		e.command(&cli.Command{
			Name: "stop", Usage: "Stop the agent", UsageText: "mcp-login agent stop",
			Description: "It waits until requests and refreshes in flight are complete.", Flags: o.fromAgent.flags(),
		}, &o.common, func(ctx context.Context, _ []string) error { return runAgentStop(ctx, e, o.agentSock) }),
		e.command(&cli.Command{
			Name: "install", Usage: "Install the agent as a systemd service for your user", UsageText: "mcp-login agent install",
			Description: "It writes a unit and a socket unit for your user, and prints the command that enables them. The socket is there when you sign in to this machine; its first user starts the agent.",
			Flags:       []cli.Flag{boolFlag("remove", "Remove what this command wrote", &o.remove)},
		}, &o.common, func(context.Context, []string) error {
			if o.remove {
				return agentd.Change(agentd.Unit.Remove).ForUser(e.getenv, e.say)
			}
			return agentd.Change(agentd.Unit.Install).ForUser(e.getenv, e.say)
		}),
	}
}

func runAgentStatus(ctx context.Context, e *call, socket string, asJSON bool) error {
	socket, err := usualPath(e, socket, e.dirs().AgentSocket)()
	if err != nil {
		return err
	}
	health, runs, err := agentd.Running(ctx, socket)
	r := report.AgentOf(socket, health, runs)
	switch {
	case asJSON && !runs:
		return errors.Join(e.answerJSON(r), &exit.Error{Code: exit.Store})
	case err != nil:
		return err
	case asJSON:
		return e.answerJSON(r)
	}
	return e.answerText(r.Text())
}

func runAgentStop(ctx context.Context, e *call, socket string) error {
	socket, err := usualPath(e, socket, e.dirs().AgentSocket)()
	if err == nil {
		err = agentd.Stop(ctx, socket)
	}
	if err != nil {
		return err
	}
	e.say("stopped the agent at %s", e.dirs().Tilde(socket))
	if e.getenv(invocation.AgentVariable) == socket {
		e.say("next: unset %s", invocation.AgentVariable)
	}
	return nil
}
