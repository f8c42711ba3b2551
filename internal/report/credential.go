// Package report formats what the commands print about a credential, a server, a
// store, the settings and the checks of doctor: as text for people, and as JSON, which
// is a contract with programs. It must not know where a report goes, nor look anything
// up itself.
package report

import (
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Credential is the report of status and list on a credential. As JSON it is a
// contract: it is added to, never changed.
type Credential struct {
	mcplogin.Status
	Store     string       `json:"store,omitempty"`
	Inputs    flows.Inputs `json:"inputs,omitzero"`            // what a renewal reads or asks for on this host
	Confirmed *bool        `json:"inputs_confirmed,omitempty"` // whether this user typed that on this host; nil: it asks for nothing
}

// MaxLine caps one line of what an agent, another host's perhaps, says.
const MaxLine = 2000

// Text returns the report for people.
func (r Credential) Text() *terminal.Text {
	facts := [][2]string{
		{"profile", r.Profile},
		{"state", r.State},
		{"reason", r.Reason},
		{"server", r.Server},
		{"resource", r.Resource},
		{"issuer", r.Issuer},
		{"accepted", r.Accepts},
		{"accepted", acceptedMissing(r.MissingIss)},
		{"client", r.ClientID},
		{"flow", r.Flow},
		{"scopes", strings.Join(r.Scopes, " ")},
		{"token", r.Fingerprint},
		{"expires", when(r.Expiry)},
		{"signed in", when(r.LoggedIn)},
		{"refreshed", when(r.Refreshed)},
		{"store", r.Store},
	}
	for _, n := range (confirmed.Demand{Inputs: r.Inputs}).Asked() {
		facts = append(facts, [2]string{n.What, n.Value})
	}
	if r.Confirmed != nil {
		facts = append(facts, [2]string{"confirmed", map[bool]string{true: "on this host", false: "not on this host"}[*r.Confirmed]})
	}
	for i := range facts {
		facts[i][1] = oauth.Sanitize(facts[i][1], MaxLine)
	}
	var t terminal.Text
	t.Facts(facts)
	return &t
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339) + " (" + ago(time.Until(*t)) + ")"
}

func ago(left time.Duration) string {
	text := printable.Duration(left.Abs().Round(time.Second))
	if left < 0 {
		return text + " ago"
	}
	return "in " + text
}

// acceptedMissing says that answers of an issuer may lack its name.
func acceptedMissing(issuer string) string {
	if issuer == "" {
		return ""
	}
	return "answers without iss from " + issuer
}
