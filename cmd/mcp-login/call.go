package main

import (
	"slices"
	"sync"

	"github.com/rs/zerolog"

	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/oauth"
)

// call is one run of a command: what was typed, what the environment and the
// configuration file add to it, and what its parts share. It is made once and
// not changed. The zero value is no run.
type call struct {
	line     commandLine
	file     *settings.File // nil: none
	profiles []string       // whose tables of the file apply
	log      zerolog.Logger
	hosts    *oauth.Hosts // what its clients learn of the hosts of MCP servers; nil: each learns for itself
	jobIs    *jobIdentity // who this CI job is, once an id token was asked for
	home     *sync.Once   // warns that the home folder belongs to somebody else; nil: never
}

// calling returns the env of a command that was typed.
func (e *env) calling(line commandLine) (*env, error) {
	own := *e
	own.call = call{line: line, hosts: &oauth.Hosts{}, jobIs: &jobIdentity{}, home: new(sync.Once)}
	err := line.check()
	if err != nil || !line.runs() {
		return &own, err
	}
	if err := countArgs(line.command, slices.Concat(line.args, line.program)); err != nil {
		return &own, err
	}
	also, err := own.settings().Get(own.key(alsoFlag))
	if err == nil {
		own.file, err = own.readConfig()
	}
	if err != nil {
		return &own, err
	}
	if own.file != nil {
		own.profiles = slices.Concat(profilesOf(line.command, line.args), also.Texts)
	}
	if err := own.checkValues(); err != nil {
		return &own, err
	}
	own.log, err = own.newLog(own.setting("log-level"), own.setting("log-format"))
	return &own, err
}

// asksAgent reports whether this command asks an agent instead of the store, and
// which one.
func (e *env) asksAgent() (sock string, asks bool) {
	if findFlag(e.line.flags(), agentFlag) == nil {
		return "", false
	}
	sock = e.setting(agentFlag)
	return sock, sock != ""
}

// again returns the flags that a suggested command must repeat, to reach the same
// store or agent and, for a login, to sign in the same way.
func (e *env) again() []string {
	if sock, asks := e.asksAgent(); asks {
		return []string{"--" + agentFlag, absolute(sock)}
	}
	flags := e.storeFlags()
	if len(e.line.path) > 0 && e.line.path[0] == loginName {
		flags = append(flags, e.repeated(new(loginOptions).attendFlags(), "no-qr", "copy", "wait")...)
	}
	return flags
}

// storeFlags returns the flags that a suggested command must repeat to reach the
// same store. The configuration applies to that command too.
func (e *env) storeFlags() []string {
	var words []string
	for _, name := range []string{"store", "profile-dir", "keeper", "ca-cert", "expect-issuer", "expect-audience"} {
		v, err := e.settings().Get(keyNamed(name))
		if text := v.Text(); err == nil && text != "" && !v.Configured() {
			words = append(words, "--"+name, text)
		}
	}
	return words
}
