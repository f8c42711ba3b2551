package main

import (
	"context"
	"sync"

	"github.com/rs/zerolog"

	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/outbound"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/oauth"
)

// call is one run of a command. It is immutable.
type call struct {
	env
	invocation.Invocation // what was typed, and what the environment and the configuration add
	log                   zerolog.Logger
	hosts                 *oauth.Hosts // shared by the HTTP clients; nil: not shared
	step                  *cistep.Step // identity of this CI job; nil: not requested
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

// readConfig returns a function that reads the configuration file; nil for
// none.
func readConfig(e *env) func() (*settings.File, error) {
	return func() (*settings.File, error) {
		return settings.Load(e.getenv, func() []settings.Key { return knownKeys(allCommands(e.bare())) })
	}
}

// warnOnce returns a function that shows only its first warning.
func warnOnce(e *env) func(text string) {
	var once sync.Once
	return func(text string) { once.Do(func() { e.say("warning: %s", text) }) }
}

// open returns the access.Opener for these options.
func (e *call) open(o *common) access.Opener {
	reach := outbound.Options{CACert: o.CACert, Timeout: o.Timeout, Getenv: e.getenv, Hosts: e.hosts}
	return access.Opener{
		Options: o.Options, Invocation: e.Invocation, Streams: e.streams(), Hidden: e.hidden, Step: e.step, Dirs: e.dirs(), Log: e.slog(),
		Clients: sync.OnceValues(reach.Clients),
	}
}

func (e *call) dirs() paths.Dirs { return paths.Dirs{Getenv: e.getenv, Warn: e.warn} }

// Remedy returns the remedy.Call for errors of this run.
func (e *call) Remedy() remedy.Call { return e.open(new(common)).Remedy() }

// agree asks the user at the terminal, unless --yes was typed.
func (e *call) agree(ctx context.Context, question, undone string) error {
	return e.Agree(ctx, e.streams().Confirm, question, undone)
}
