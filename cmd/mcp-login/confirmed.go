package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// presenting are the flows that present something of this host.
func presenting() []string {
	return []string{clientcred.JWTBearer{}.Name(), clientcred.TokenExchange{}.Name(), clientcred.IDJAG{}.Name(), clientcred.CI{}.Name()}
}

// demand is what a stored record demands of this host, with the names of the
// flags for that.
type demand struct{ confirmed.Demand }

func demandOf(c mcplogin.Credential) demand { return demand{confirmed.Of(c)} }

// isDemanding reports whether a renewal takes anything from this host. The
// client's own credentials are in the record.
func isDemanding(c mcplogin.Credential) bool {
	return c.HasInputs() || slices.Contains(presenting(), c.Flow)
}

// isConfirmed reports whether this user typed the demand on this host.
func (e *env) isConfirmed(d demand) (bool, error) {
	dir, err := e.dirs().Confirmed()
	if err != nil {
		return false, nil // without a home folder nothing can be noted
	}
	return confirmed.Notes{Dir: dir}.Has(d.Demand)
}

// known reports whether this user completed the login that a record is from, and
// sent a secret for it.
func (e *env) known(c mcplogin.Credential) bool {
	known, err := e.isConfirmed(demandOf(c))
	return known && err == nil // what cannot be read confirms nothing
}

// sendsSecret reports whether a login with this registration sends a secret.
func sendsSecret(r mcplogin.Registration) bool {
	return r.App.Secret != "" || r.App.Key != nil || r.InitialAccessToken != ""
}

// confirm notes what a login demands, which this user has typed. Where that
// cannot be noted, the login goes on and the demand is to be named again.
func (e *env) confirm(c mcplogin.Credential) {
	d := demandOf(c)
	if known, _ := e.isConfirmed(d); known { // an error is met again below
		return
	}
	dir, err := e.userDir(e.dirs().Confirmed())
	if err == nil {
		err = confirmed.Notes{Dir: dir}.Add(d.Demand)
	}
	known, _ := e.isConfirmed(d) // another process may have noted the same
	if !known && slices.Contains(presenting(), c.Flow) {
		e.say("warning: cannot save your confirmation for %q (%v), so set these variables whenever it is refreshed: %s",
			c.Profile, err, oauth.Sanitize(strings.Join(asVariables(d.named()), " "), maxStatus))
	}
}

// forgetConfirmed removes the note of a credential that is removed, best effort:
// it confirms nothing but what this user typed.
func (e *env) forgetConfirmed(c mcplogin.Credential) {
	if dir, err := e.dirs().Confirmed(); err == nil {
		_ = confirmed.Notes{Dir: dir}.Remove(confirmed.Of(c))
	}
}

// naming is a value of a record and the flag that names it.
type naming struct{ flag, what, value string }

// named returns what has to be named again where nothing is noted. The audience
// need not be, if it is the issuer.
func (d demand) named() []naming {
	audience := d.Inputs.Audience
	if audience == d.Issuer {
		audience = ""
	}
	all := []naming{
		{"expect-issuer", "issuer", d.Issuer},
		{"expect-audience", "audience", audience},
		{"assertion-from", "assertion", d.Inputs.Assertion},
		{"subject-token-from", "subject token", d.Inputs.SubjectToken},
		{"idp-issuer", "IdP", d.Inputs.IDPIssuer},
		{"idp-token-endpoint", "IdP token endpoint", d.Inputs.IDPTokenEndpoint},
		{"idp-client-id", "IdP client id", d.Inputs.IDPClientID},
		{"idp-client-secret-from", "IdP client secret", d.Inputs.IDPClientSecret},
	}
	return slices.DeleteFunc(all, func(n naming) bool { return n.value == "" })
}

// asVariables returns the namings as environment variables for a shell.
func asVariables(namings []naming) []string {
	var words []string
	for _, n := range namings {
		words = append(words, envVar(n.flag)[0]+"="+suggest.Command{n.value}.String())
	}
	return words
}

// names reports whether the command line, the environment or the configuration
// names a value.
func (e *env) names(o *common, n naming) bool {
	said := e.setting(n.flag)
	switch n.flag {
	case "expect-issuer":
		said = cmp.Or(o.expectIssuer, e.setting("issuer"))
	case "expect-audience":
		said = cmp.Or(o.expectAudience, e.setting("audience")) // a login asks for the one that it names
	}
	if strings.HasSuffix(n.flag, "-from") {
		lasts, err := secretref.Durable(said)
		return err == nil && lasts == n.value
	}
	return said == n.value
}

// permit returns what a session asks before a flow runs as a stored record says.
func (e *env) permit(o *common, client func(server string) *http.Client) func(context.Context, mcplogin.Credential) error {
	return func(ctx context.Context, c mcplogin.Credential) error {
		if !slices.Contains(presenting(), c.Flow) {
			return nil
		}
		d := demandOf(c)
		known, unread := e.isConfirmed(d)
		if known {
			return nil
		}
		missing := slices.DeleteFunc(d.named(), func(n naming) bool { return e.names(o, n) })
		switch {
		case len(missing) == 0:
			return e.published(ctx, client(c.Server), c)
		case unread != nil:
			return unread
		}
		return &unconfirmedError{d, missing}
	}
}

// published refuses a token endpoint that the issuer, which was named, does not
// publish itself: the record could have been given another.
func (e *env) published(ctx context.Context, client *http.Client, c mcplogin.Credential) error {
	if e.names(nil, naming{flag: "token-endpoint", value: c.Issuer.TokenEndpoint}) {
		return nil
	}
	now, err := oauth.FetchServer(ctx, client, c.Issuer.Issuer)
	if err != nil {
		return fmt.Errorf("confirm the token endpoint of %q: %w", c.Profile, err)
	}
	if now.TokenEndpoint != c.Issuer.TokenEndpoint {
		return &mcplogin.IssuerChangedError{Profile: c.Profile, What: "token_endpoint", Stored: c.Issuer.TokenEndpoint, Now: now.TokenEndpoint}
	}
	return nil
}

// unconfirmedError says what a stored record demands that nobody confirmed on
// this host.
type unconfirmedError struct {
	demand
	missing []naming
}

func (e *unconfirmedError) Error() string {
	wants := []string{"flow " + e.Flow}
	for _, n := range e.missing {
		wants = append(wants, fmt.Sprintf("%s %q", n.what, oauth.Sanitize(n.value, 200)))
	}
	return fmt.Sprintf("%s: you have not confirmed on this host what the stored record asks for: %s; the result would go to %s",
		e.Profile, strings.Join(wants, ", "), oauth.Sanitize(e.TokenEndpoint, 200))
}

// Unwrap makes it a login that is required, to an agent's clients too.
func (e *unconfirmedError) Unwrap() error {
	return &mcplogin.LoginRequiredError{Profile: e.Profile, Server: e.Server, Reason: "the stored record asks for what nobody confirmed on this host"}
}

// howToConfirm names the two ways: a login here, or the names for one run. Both
// repeat what the record asks for, so it warns of a command among that.
func (e *env) howToConfirm(u *unconfirmedError) string {
	words := []string{"--flow", u.Flow}
	for _, n := range append(u.named(), naming{flag: "audience", value: u.Inputs.Audience}) {
		if flag := "--" + n.flag; n.value != "" && n.flag != "expect-audience" && !slices.Contains(e.again(), flag) {
			words = append(words, flag, n.value)
		}
	}
	login := "if you trust it: " + e.loginCommand(u.Profile, u.Server, words...)
	if slices.ContainsFunc(u.named(), func(n naming) bool { return strings.HasPrefix(n.value, "command:") }) {
		login = "the stored record chose the command in what follows, and pasting it runs that command as you: read it first\n" + login
	}
	if _, asks := e.asksAgent(); asks {
		return login
	}
	return login + "\nor for one run: " + strings.Join(asVariables(u.missing), " ") + " " + e.line.again(part.typed).String()
}

// withoutDemands takes out of a record what this user has not typed on this
// host, and says what that was.
func (e *env) withoutDemands(c mcplogin.Credential) mcplogin.Credential {
	d := demandOf(c)
	if known, _ := e.isConfirmed(d); known || !c.HasInputs() { // what cannot be read confirms nothing
		return c
	}
	for _, n := range d.inputs() {
		e.say("removed from %q, because you did not enter it on this host: %s %s", c.Profile, n.what, oauth.Sanitize(n.value, 200))
	}
	return c.WithoutInputs()
}

// inputs returns the namings of a record's sources and audience.
func (d demand) inputs() []naming {
	all := append([]naming{{"audience", "audience", d.Inputs.Audience}}, d.named()...)
	return slices.DeleteFunc(all, func(n naming) bool { return n.value == "" || strings.HasPrefix(n.flag, "expect-") })
}
