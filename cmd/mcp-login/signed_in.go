package main

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// signInEvent is the last line of login --json.
type signInEvent struct {
	Event   string    `json:"event"` // "logged_in"
	Profile string    `json:"profile"`
	Server  string    `json:"server"`
	Issuer  string    `json:"issuer"`
	Flow    string    `json:"flow"`
	Scopes  []string  `json:"scopes"`
	Expiry  time.Time `json:"expires_at,omitzero"`
	Subject string    `json:"subject,omitempty"`
	Account string    `json:"account,omitempty"` // its email, user name or name
	Renews  bool      `json:"renews"`            // without a person
}

func (e *env) signInEvent(o loginOptions, c mcplogin.Credential) signInEvent {
	id := e.identity(c)
	return signInEvent{
		"logged_in", c.Profile, c.Server, c.Issuer.Issuer, c.Flow, c.Scopes(), c.Token.Expiry,
		id.Subject, id.Name, e.renews(&o.common, c),
	}
}

// saySignIn says what login stored, below the line of sayAccount.
func (e *env) saySignIn(o loginOptions, c mcplogin.Credential) {
	list := func(scopes []string) string { return oauth.Sanitize(strings.Join(scopes, " "), maxScopes) }
	rows := [][2]string{{"profile", c.Profile}}
	if id := e.identity(c); id.Subject != "" {
		rows = append(rows, [2]string{"account", id.String()})
	}
	if scopes := c.Scopes(); len(scopes) > 0 {
		rows = append(rows, [2]string{"scopes", list(scopes)})
	}
	if missing := ungranted(o, c); len(missing) > 0 {
		rows = append(rows, [2]string{"denied", list(missing) + " (asked and not granted)"})
	}
	rows = append(rows, [2]string{"token", expires(c.Token.Expiry) + "; " + e.renewal(&o.common, c)})
	for _, row := range rows {
		e.say("  %-8s %s", row[0], row[1])
	}
}

const maxScopes = 400 // characters of a list for people

// sayAccount says who signed in where: a link that leaked could have been approved
// by somebody else.
func (e *env) sayAccount(c mcplogin.Credential) {
	as := ""
	if id := e.identity(c); id.Subject != "" {
		as = " as " + oauth.Sanitize(id.Account(), maxAccount)
	}
	e.say("signed in to %s%s", c.Server, as)
}

const maxAccount = 100 // characters

// ungranted returns the scopes that were asked for and not granted. Nobody asked for
// offline_access unless they typed it, and an id token shows that openid was granted.
func ungranted(o loginOptions, c mcplogin.Credential) []string {
	typed := strings.Fields(o.scope + " " + o.more)
	return slices.DeleteFunc(c.Missing(), func(scope string) bool {
		return scope == "offline_access" && !slices.Contains(typed, scope) || scope == "openid" && c.Token.ID != ""
	})
}

// renews reports whether a token is renewed without a person.
func (e *env) renews(o *common, c mcplogin.Credential) bool {
	return c.Token.Refresh != "" || slices.Contains(flowsAlone(e, o), c.Flow)
}

func (e *env) renewal(o *common, c mcplogin.Credential) string {
	if e.renews(o, c) {
		return "renews automatically"
	}
	return "cannot be renewed: the server issued no refresh token"
}

// isBound reports a token that is of use only with a key.
func isBound(c mcplogin.Credential) bool {
	_, err := c.Authorization()
	return errors.Is(err, mcplogin.ErrBound)
}

// flowsAlone names the flows that need no person.
func flowsAlone(e *env, o *common) []string {
	var names []string
	for _, f := range e.nonInteractive(o) {
		names = append(names, f.Name())
	}
	return names
}

// nextStep is the command that most people run next, for the shell that they use.
func (e *env) nextStep(c mcplogin.Credential) string {
	name := slices.Concat([]string{c.Profile}, needsPrefix(c.Profile), e.storeFlags())
	switch provider := ci.Detect(e.getenv); {
	case isBound(c):
		return e.proxyCommand(c.Profile) // no variable can hold the proof
	case provider.CanMask():
		return suggest.MCPLogin("env", "--ci").With(name...).String()
	case provider != ci.None:
		return suggest.MCPLogin("exec").With(name...).With("--", "COMMAND").String()
	}
	format, _ := envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	return suggest.EvalIn(string(format), suggest.MCPLogin("env").With(name...))
}
