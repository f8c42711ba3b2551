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
	Account   string       `json:"account,omitempty"` // its email, user name or name; "": unknown
	Store     string       `json:"store,omitempty"`
	Inputs    flows.Inputs `json:"inputs,omitzero"`            // what a renewal reads or requests on this host
	Confirmed *bool        `json:"inputs_confirmed,omitempty"` // whether this user typed that on this host; nil: no inputs
}

// MaxLine limits one line of an agent's text, in characters.
const MaxLine = 2000

// Summary returns what most people want to know, with the path of the store shortened.
func (r Credential) Summary(short func(path string) string) *terminal.Text {
	token, reason := Expires(known(r.Expiry)), r.Reason
	switch {
	case r.Refreshable:
		token += "; renews automatically"
	case r.State == mcplogin.StateValid && reason != "":
		token, reason = token+"; cannot be renewed: "+reason, ""
	}
	var t terminal.Text
	t.Facts(append([]terminal.Fact{
		fact("profile", r.Profile),
		{Label: "state", Value: r.state()},
		fact("reason", reason),
		fact("server", r.Server),
		fact("account", r.Account),
		fact("scopes", strings.Join(r.Scopes, " ")),
		fact("token", token),
		fact("store", short(r.Store)),
	}, r.trust()...))
	return &t
}

// Details returns the whole reports.
func Details(all ...Credential) *terminal.Text {
	var t terminal.Text
	for i, r := range all {
		if i > 0 {
			t.Blank()
		}
		t.Facts(append(r.facts(), r.trust()...))
	}
	return &t
}

func (r Credential) facts() []terminal.Fact {
	return []terminal.Fact{
		fact("profile", r.Profile),
		{Label: "state", Value: r.state()},
		fact("reason", r.Reason),
		fact("server", r.Server),
		fact("resource", r.Resource),
		fact("issuer", r.Issuer),
		fact("client", r.ClientID),
		fact("account", r.Account),
		fact("flow", r.Flow),
		fact("scopes", strings.Join(r.Scopes, " ")),
		fact("token", r.Fingerprint),
		fact("expires", when(r.Expiry)),
		fact("renews", renews(r.Refreshable)),
		fact("signed in", when(r.LoggedIn)),
		fact("refreshed", when(r.Refreshed)),
		fact("store", r.Store),
	}
}

// trust is what the user agreed to for the credential.
func (r Credential) trust() []terminal.Fact {
	all := []terminal.Fact{fact("accepted", r.Accepts), fact("accepted", acceptedMissing(r.MissingIss))}
	for _, n := range (confirmed.Demand{Inputs: r.Inputs}).Asked() {
		all = append(all, fact(n.What, n.Value))
	}
	if r.Confirmed != nil {
		all = append(all, fact("confirmed", map[bool]string{true: "on this host", false: "not on this host"}[*r.Confirmed]))
	}
	return all
}

func fact(label, value string) terminal.Fact {
	return terminal.Fact{Label: label, Value: terminal.Cell{Text: oauth.Sanitize(value, MaxLine)}}
}

// state is the state of the credential, marked.
func (r Credential) state() terminal.Cell {
	marks := map[string]terminal.Mark{mcplogin.StateValid: terminal.Good, mcplogin.StateRefresh: terminal.Doubtful, mcplogin.StateLogin: terminal.Bad}
	return terminal.Cell{Text: oauth.Sanitize(r.State, MaxLine), Mark: marks[r.State]}
}

// known is a time, or the zero time.
func known(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func renews(automatically bool) string {
	if automatically {
		return "automatically"
	}
	return ""
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

// acceptedMissing says that authorization responses of an issuer may lack iss.
func acceptedMissing(issuer string) string {
	if issuer == "" {
		return ""
	}
	return "answers without iss from " + issuer
}
