package access

import (
	"cmp"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/oauth"
)

// Notes returns the notes of what this user confirmed on this host. Without a home folder nothing
// is confirmed.
func (o Opener) Notes() confirmed.Notes {
	dir, err := o.Dirs.Confirmed()
	if err != nil {
		return confirmed.Notes{}
	}
	return confirmed.Notes{Dir: dir}
}

// confirm records the demand of a sign-in, which this user has typed. If it cannot be
// recorded, the sign-in continues and the user must name the demand again later.
func (o Opener) confirm(c mcplogin.Credential) {
	notes, d := o.Notes(), confirmed.Of(c)
	if notes.Known(c) { // an error occurs again below
		return
	}
	_, err := o.Dirs.Writable(o.Dirs.Confirmed())
	if err == nil {
		err = notes.Add(d)
	}
	// Another process may have recorded the same demand.
	if !notes.Known(c) && confirmed.Presents(c) {
		o.Streams.Say("warning: cannot save your confirmation for %q (%v). Set these variables for every refresh: %s",
			c.Profile, err, oauth.Sanitize(confirmed.Variables(d.Named()), report.MaxLine))
	}
}

// Forget removes the note of a credential that is removed. It is best effort: the note
// confirms nothing but what this user typed.
func (o Opener) Forget(c mcplogin.Credential) { _ = o.Notes().Remove(confirmed.Of(c)) }

// names reports whether the command line, the environment or the configuration
// names a value.
func (o Opener) names(n confirmed.Naming) bool {
	said := o.Setting(n.Flag)
	switch n.Flag {
	case "expect-issuer":
		said = cmp.Or(o.ExpectIssuer, o.Setting("issuer"))
	case "expect-audience":
		said = cmp.Or(o.ExpectAudience, o.Setting("audience")) // a sign-in requests the one that it names
	}
	if strings.HasSuffix(n.Flag, "-from") {
		lasts, err := secretref.Durable(said)
		return err == nil && lasts == n.Value
	}
	return said == n.Value
}

// WithoutDemands removes the demands from a record that this user has not typed
// on this host, and returns what it removed.
func (o Opener) WithoutDemands(c mcplogin.Credential) mcplogin.Credential {
	c, removed := o.Notes().Without(c)
	for _, n := range removed {
		o.Streams.Say("removed from %q, because you did not set it on this host: %s %s", c.Profile, n.What, oauth.Sanitize(n.Value, 200))
	}
	return c
}
