package report

import (
	"fmt"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/oauth"
)

// Login is the event of a login that succeeded. As JSON it is a contract: it is added
// to, never changed.
type Login struct {
	Event   string    `json:"event"` // "logged_in"
	Profile string    `json:"profile"`
	Server  string    `json:"server"`
	Issuer  string    `json:"issuer"`
	Flow    string    `json:"flow"`
	Scopes  []string  `json:"scopes"`
	Expiry  time.Time `json:"expires_at,omitzero"`
	Subject string    `json:"subject,omitempty"`
	Account string    `json:"account,omitempty"` // its email, user name or name
	Renews  bool      `json:"renews"`            // by a non-interactive flow
	Kept    bool      `json:"kept,omitempty"`    // no sign-in: the stored credential is valid
}

// LoggedIn returns the event of a login that made a credential, or kept one.
func LoggedIn(c mcplogin.Credential, who ci.Identity, renews, kept bool) Login {
	return Login{"logged_in", c.Profile, c.Server, c.Issuer.Issuer, c.Flow, c.Scopes(), c.Token.Expiry, who.Subject, who.Name, renews, kept}
}

const maxScopes = 400 // characters of a list for people

// Stored says in lines what login stored. Typed are the scopes that were asked for by
// name.
func Stored(c mcplogin.Credential, who ci.Identity, typed string, renews bool) (lines []string) {
	list := func(scopes []string) string { return oauth.Sanitize(strings.Join(scopes, " "), maxScopes) }
	row := func(label, text string) { lines = append(lines, fmt.Sprintf("  %-8s %s", label, text)) }
	row("profile", c.Profile)
	if who.Subject != "" {
		row("account", who.String())
	}
	if scopes := c.Scopes(); len(scopes) > 0 {
		row("scopes", list(scopes))
	}
	if missing := signin.Ungranted(c, typed); len(missing) > 0 {
		row("denied", list(missing)+" (requested but not granted)")
	}
	renewal := "cannot be renewed: the server issued no refresh token"
	switch {
	case renews:
		renewal = "renews automatically"
	case c.Issuer.Issuer == "https://accounts.google.com":
		renewal += " (Google issues one for --auth-param access_type=offline --auth-param prompt=consent)"
	}
	row("token", Expires(c.Token.Expiry)+"; "+renewal)
	return lines
}

const maxAccount = 100 // characters

// SignedIn says who signed in where: another person could have approved a leaked
// link.
func SignedIn(c mcplogin.Credential, who ci.Identity) string {
	as := ""
	if who.Subject != "" {
		as = " as " + oauth.Sanitize(who.Account(), maxAccount)
	}
	return "signed in to " + c.Server + as
}
