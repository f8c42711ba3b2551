package main

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/rs/zerolog"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/source"
	"github.com/mcp-login/mcp-login/oauth"
)

// call is one run of a command. It is made once and not changed.
type call struct {
	env
	invocation.Invocation // what was typed, and what the environment and the configuration add
	log                   zerolog.Logger
	hosts                 *oauth.Hosts // what its clients learn of the hosts of MCP servers; nil: each learns for itself
	step                  *cistep.Step // who this CI job is; nil: that is not asked
	warn                  func(string) // warns of the folders of this user, once
}

// bare returns the run of no command.
func (e *env) bare() *call {
	return &call{env: *e, Invocation: invocation.Invocation{Getenv: e.getenv}}
}

// calling returns the run of a command that was typed.
func (e *env) calling(line commandline.Line) (*call, error) {
	own := e.bare()
	own.Line, own.hosts, own.step, own.warn = line, &oauth.Hosts{}, &cistep.Step{Hide: e.hidden.Hide, Said: e.say}, warnOnce(e)
	err := line.Check()
	if err != nil || !line.Runs() {
		return own, err
	}
	if err := line.CheckArgs(); err != nil {
		return own, err
	}
	if own.Invocation, err = invocation.New(line, e.getenv, readConfig(e)); err != nil {
		return own, err
	}
	if err := own.CheckValues(); err != nil {
		return own, err
	}
	own.log, err = own.newLog(own.Setting("log-level"), own.Setting("log-format"))
	return own, err
}

// readConfig returns what reads the configuration file; nil if there is none.
func readConfig(e *env) func() (*settings.File, error) {
	return func() (*settings.File, error) {
		return settings.Load(e.getenv, func() []settings.Key { return knownKeys(allCommands(e.bare())) })
	}
}

// warnOnce returns what shows the first of its warnings.
func warnOnce(e *env) func(text string) {
	var once sync.Once
	return func(text string) { once.Do(func() { e.say("warning: %s", text) }) }
}

// open returns what opens the things that a command with these options works with.
func (e *call) open(o *common) access.Opener {
	return access.Opener{Options: o.Options, Invocation: e.Invocation, Streams: e.streams(), Hidden: e.hidden, Hosts: e.hosts, Step: e.step, Dirs: e.dirs(), Log: e.slog()}
}

func (e *call) dirs() paths.Dirs { return paths.Dirs{Getenv: e.getenv, Warn: e.warn} }

// Remedy returns what explains an error of this run.
func (e *call) Remedy() remedy.Call { return e.open(new(common)).Remedy() }

// withoutTerminal returns a run in which nobody can be asked at a terminal.
func (e *call) withoutTerminal() *call {
	own := *e
	own.tty = func() (*os.File, error) { return nil, errors.New("another program is using the terminal") }
	return &own
}

// agree asks a person at the terminal, unless --yes was typed.
func (e *call) agree(ctx context.Context, question, undone string) error {
	return e.Agree(ctx, e.streams().Confirm, question, undone)
}

func (e *call) source(ctx context.Context, o *common, l fromAgent, ask bool) (source.Source, error) {
	return e.open(o).Source(ctx, l.agentSock, ask)
}
func (e *call) session(ctx context.Context, o *common, l fromAgent, profile string) (*mcplogin.Session, error) {
	from, err := e.source(ctx, o, l, false)
	if err != nil {
		return nil, err
	}
	return e.open(o).Session(from, profile)
}
