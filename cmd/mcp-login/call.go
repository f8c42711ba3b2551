package main

import (
	"github.com/rs/zerolog"

	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/settings"
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
	return &call{env: *e, Invocation: invocation.Invocation{Getenv: e.getenv}, warn: func(string) {}}
}

// calling returns the run of a command that was typed.
func (e *env) calling(line commandline.Line) (*call, error) {
	own := e.bare()
	own.Line, own.hosts, own.step, own.warn = line, &oauth.Hosts{}, &cistep.Step{Hide: e.hidden.Hide, Said: e.say}, e.warnOnce()
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
		return settings.Load(e.getenv, func() []settings.Key { return knownKeys(newApp(e.bare()).Commands) })
	}
}
