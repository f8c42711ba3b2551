package confirmed

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/oauth"
)

// presenting returns the names of the flows that send a secret of this host.
func presenting() []string {
	return []string{clientcred.JWTBearer{}.Name(), clientcred.TokenExchange{}.Name(), clientcred.IDJAG{}.Name(), clientcred.CI{}.Name()}
}

// Presents reports whether a renewal sends a secret of this host.
func Presents(c mcplogin.Credential) bool { return slices.Contains(presenting(), c.Flow) }

// Demands reports whether a renewal takes anything from this host. The client's
// own credentials are in the record.
func Demands(c mcplogin.Credential) bool { return c.HasInputs() || Presents(c) }

// Naming is a value of a record and the flag that names it.
type Naming struct{ Flag, What, Value string }

// Variable returns the naming as an environment variable for a shell.
func (n Naming) Variable() string {
	return variables.OfFlag(n.Flag) + "=" + suggest.Command{n.Value}.String()
}

// Variables returns namings as environment variables for a shell.
func Variables(namings []Naming) string {
	var words []string
	for _, n := range namings {
		words = append(words, n.Variable())
	}
	return strings.Join(words, " ")
}

// Named returns what has to be named again where nothing is noted. The audience
// need not be, if it is the issuer.
func (d Demand) Named() []Naming {
	audience := d.Inputs.Audience
	if audience == d.Issuer {
		audience = ""
	}
	all := []Naming{
		{"expect-issuer", "issuer", d.Issuer},
		{"expect-audience", "audience", audience},
		{"assertion-from", "assertion", d.Inputs.Assertion},
		{"subject-token-from", "subject token", d.Inputs.SubjectToken},
		{"idp-issuer", "IdP", d.Inputs.IDPIssuer},
		{"idp-token-endpoint", "IdP token endpoint", d.Inputs.IDPTokenEndpoint},
		{"idp-client-id", "IdP client ID", d.Inputs.IDPClientID},
		{"idp-client-secret-from", "IdP client secret", d.Inputs.IDPClientSecret},
	}
	return slices.DeleteFunc(all, func(n Naming) bool { return n.Value == "" })
}

// Asked returns the sources and the audience of a record.
func (d Demand) Asked() []Naming {
	all := append([]Naming{{"audience", "audience", d.Inputs.Audience}}, d.Named()...)
	return slices.DeleteFunc(all, func(n Naming) bool { return n.Value == "" || strings.HasPrefix(n.Flag, "expect-") })
}

// RunsCommand reports whether one of the namings is a command to run.
func RunsCommand(namings []Naming) bool {
	return slices.ContainsFunc(namings, func(n Naming) bool { return strings.HasPrefix(n.Value, "command:") })
}

// Known reports whether this user completed the login that a record is from, and
// sent a secret for it. What cannot be read confirms nothing.
func (n Notes) Known(c mcplogin.Credential) bool {
	known, err := n.Has(Of(c))
	return known && err == nil
}

// Without takes out of a record what this user has not typed on this host, and
// returns what that was.
func (n Notes) Without(c mcplogin.Credential) (mcplogin.Credential, []Naming) {
	if !c.HasInputs() || n.Known(c) {
		return c, nil
	}
	return c.WithoutInputs(), Of(c).Asked()
}

// Permit decides before a flow runs as a stored record says.
type Permit struct {
	Notes
	Names func(Naming) bool                // whether the command line or the configuration names a value
	HTTP  func(server string) *http.Client // makes the client for an MCP server
}

// Check returns an UnconfirmedError for a demand that is neither noted nor named.
func (p Permit) Check(ctx context.Context, c mcplogin.Credential) error {
	if !Presents(c) {
		return nil
	}
	d := Of(c)
	known, unread := p.Has(d)
	if known {
		return nil
	}
	missing := slices.DeleteFunc(d.Named(), p.Names)
	switch {
	case len(missing) == 0:
		return p.published(ctx, c)
	case unread != nil:
		return unread
	}
	return &UnconfirmedError{d, missing}
}

// published refuses a token endpoint that the issuer, which was named, does not
// publish itself: the record could have been given another.
func (p Permit) published(ctx context.Context, c mcplogin.Credential) error {
	if p.Names(Naming{Flag: "token-endpoint", Value: c.Issuer.TokenEndpoint}) {
		return nil
	}
	now, err := oauth.FetchServer(ctx, p.HTTP(c.Server), c.Issuer.Issuer)
	if err != nil {
		return fmt.Errorf("confirm the token endpoint of %q: %w", c.Profile, err)
	}
	if now.TokenEndpoint != c.Issuer.TokenEndpoint {
		return &mcplogin.IssuerChangedError{Profile: c.Profile, What: "token_endpoint", Stored: c.Issuer.TokenEndpoint, Now: now.TokenEndpoint}
	}
	return nil
}

// UnconfirmedError says what a stored record demands that nobody confirmed on
// this host.
type UnconfirmedError struct {
	Demand
	Missing []Naming
}

func (e *UnconfirmedError) Error() string {
	wants := []string{"flow " + e.Flow}
	for _, n := range e.Missing {
		wants = append(wants, fmt.Sprintf("%s %q", n.What, oauth.Sanitize(n.Value, 200)))
	}
	return fmt.Sprintf("%s: the stored record uses %s, which you have not confirmed on this host; the result would go to %s",
		e.Profile, strings.Join(wants, ", "), oauth.Sanitize(e.TokenEndpoint, 200))
}

// Unwrap makes it a login that is required, to an agent's clients too.
func (e *UnconfirmedError) Unwrap() error {
	return &mcplogin.LoginRequiredError{Profile: e.Profile, Server: e.Server, Reason: "the stored record uses settings that were not confirmed on this host"}
}
