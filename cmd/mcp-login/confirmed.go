package main

import (
	"cmp"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/oauth"
)

// notes are what this user confirmed on this host. Without a home folder nothing
// can be noted, so that nothing is confirmed.
func (e *call) notes() confirmed.Notes {
	dir, err := e.dirs().Confirmed()
	if err != nil {
		return confirmed.Notes{}
	}
	return confirmed.Notes{Dir: dir}
}

// confirm notes what a login demands, which this user has typed. Where that
// cannot be noted, the login goes on and the demand is to be named again.
func (e *call) confirm(c mcplogin.Credential) {
	notes, d := e.notes(), confirmed.Of(c)
	if notes.Known(c) { // an error is met again below
		return
	}
	_, err := e.userDir(e.dirs().Confirmed())
	if err == nil {
		err = notes.Add(d)
	}
	// Another process may have noted the same.
	if !notes.Known(c) && confirmed.Presents(c) {
		e.say("warning: cannot save your confirmation for %q (%v), so set these variables whenever it is refreshed: %s",
			c.Profile, err, oauth.Sanitize(confirmed.Variables(d.Named()), report.MaxLine))
	}
}

// forgetConfirmed removes the note of a credential that is removed, best effort:
// it confirms nothing but what this user typed.
func (e *call) forgetConfirmed(c mcplogin.Credential) { _ = e.notes().Remove(confirmed.Of(c)) }

// names reports whether the command line, the environment or the configuration
// names a value.
func (e *call) names(o *common) func(confirmed.Naming) bool {
	return func(n confirmed.Naming) bool {
		said := e.Setting(n.Flag)
		switch n.Flag {
		case "expect-issuer":
			said = cmp.Or(o.expectIssuer, e.Setting("issuer"))
		case "expect-audience":
			said = cmp.Or(o.expectAudience, e.Setting("audience")) // a login asks for the one that it names
		}
		if strings.HasSuffix(n.Flag, "-from") {
			lasts, err := secretref.Durable(said)
			return err == nil && lasts == n.Value
		}
		return said == n.Value
	}
}

// withoutDemands takes out of a record what this user has not typed on this
// host, and says what that was.
func (e *call) withoutDemands(c mcplogin.Credential) mcplogin.Credential {
	c, removed := e.notes().Without(c)
	for _, n := range removed {
		e.say("removed from %q, because you did not enter it on this host: %s %s", c.Profile, n.What, oauth.Sanitize(n.Value, 200))
	}
	return c
}
