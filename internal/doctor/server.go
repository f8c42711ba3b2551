package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// Server is an MCP server to examine.
type Server struct {
	URL   string
	HTTP  *http.Client // guarded, as a login's
	Flows []flows.Flow // of a login, best first
	// Options are those of the stored login; zero: none is stored.
	Options mcplogin.LoginOptions
	// Remedy returns what to do about an error of discovery; nil: unknown.
	Remedy func(error) string
	// Here describes this machine, for the flow that suits it best.
	Here flows.Detection
}

// Examine discovers the server as a login would, and checks each step.
func (s Server) Examine(ctx context.Context) []Finding {
	client := *s.HTTP
	seen := &recorder{base: client.Transport}
	client.Transport = seen
	found, err := s.Options.Discover(ctx, &client, s.URL)
	if !s.answered(seen) {
		return s.unreachable(seen, err)
	}
	findings := slices.Concat(s.network(seen), s.transport(found), s.challenge(seen, found), s.resource(seen))
	for _, issuer := range s.issuers(found) {
		findings = append(findings, s.authorizationServer(seen, issuer)...)
	}
	return distinct(append(findings, s.loginFindings(found, err)...))
}

// login returns a login command for this server with more flags.
func (s Server) login(flags ...string) string {
	return suggest.MCPLogin("login", "NAME", s.URL).With(flags...).String()
}

// answered reports whether the MCP server answered at all.
func (s Server) answered(seen *recorder) bool {
	return slices.ContainsFunc(seen.of(func(u string) bool { return u == s.URL }), func(x *exchange) bool { return x.resp != nil })
}

// unreachable returns the findings about a server that does not respond.
func (s Server) unreachable(seen *recorder, err error) []Finding {
	if findings := s.network(seen); len(findings) > 0 {
		return findings
	}
	a := &area{name: "network"} // no request was sent
	a.fail("reach "+s.URL, explained(err), "", "check the URL")
	return a.findings
}

// transport reports the transport of the server, as far as it is known without a
// token.
func (s Server) transport(d mcplogin.Discovery) []Finding {
	if !d.Resource.SSE {
		return nil
	}
	a := &area{name: "network"}
	a.pass("transport", "HTTP+SSE of 2024-11-05; clients of newer versions reach it through mcp-login proxy")
	return a.findings
}

// issuers returns the authorization servers that were contacted: the one that the
// login names, else those that the resource lists, else the one at the MCP server's
// own origin.
func (s Server) issuers(d mcplogin.Discovery) []string {
	switch {
	case s.Options.Issuer != "":
		return []string{s.Options.Issuer}
	case len(d.Resource.Issuers) > 0:
		return d.Resource.Issuers
	}
	if u, err := oauth.CheckURL(s.URL); err == nil {
		return []string{u.Scheme + "://" + u.Host}
	}
	return nil
}

// loginFindings reports whether a login could continue, and by which flows.
func (s Server) loginFindings(d mcplogin.Discovery, err error) []Finding {
	a := &area{name: "sign-in"}
	switch {
	case errors.Is(err, oauth.ErrNoAuthorization):
		a.pass("needed", "the server answers without a token, so no sign-in is needed")
		return a.findings
	case err != nil:
		remedy := ""
		if s.Remedy != nil {
			remedy = s.Remedy(err)
		}
		a.fail("discovery", explained(err), "", remedy)
		return a.findings
	}
	for _, as := range d.Servers {
		s.flows(a, as)
		s.registration(a, as)
	}
	a.chosen(s.Here.Select(d.Servers, s.Flows...))
	return a.findings
}

// flows reports which flows the authorization server supports.
func (s Server) flows(a *area, as oauth.Server) {
	var usable, refused []string
	for _, choice := range flows.Survey([]oauth.Server{as}, s.Flows...) {
		if choice.Err == nil {
			usable = append(usable, choice.Flow.Name())
		} else {
			refused = append(refused, choice.Err.Error())
		}
	}
	if len(usable) == 0 {
		a.fail("flows", strings.Join(refused, "; "), "", "show what the server offers: "+suggest.MCPLogin("discover", s.URL).String())
		return
	}
	if as.Guessed {
		a.warn("flows", "perhaps "+strings.Join(usable, ", ")+": no metadata is published, so the endpoints are guessed", "RFC 8414 §3",
			"if you know the authorization server, use: "+s.login("--issuer", "ISSUER"))
		return
	}
	a.pass("flows", strings.Join(usable, ", "))
}

// chosen reports which flow a login here would choose.
func (a *area) chosen(s flows.Selection) {
	if s.Flow == "" {
		return
	}
	f := Finding{Area: a.name, Check: "flow", Result: Pass, Detail: s.Flow + ", " + s.Why}
	if s.Easier != "" {
		f.Remedy = "easier: " + s.Easier
	}
	a.findings = append(a.findings, f)
}

// registration reports how a client can be registered at the authorization
// server.
func (s Server) registration(a *area, as oauth.Server) {
	var ways []string
	if as.RegistrationEndpoint != "" {
		ways = append(ways, "dynamic registration (RFC 7591)")
	}
	if as.ClientIDMetadataDocument {
		ways = append(ways, "client ID metadata documents")
	}
	if len(ways) == 0 {
		a.warn("registration", fmt.Sprintf("%s does not register clients at run time", oauth.Sanitize(as.Issuer, 200)), "",
			"register a client with the server's operator, then: "+s.login("--client-id", "ID"))
		return
	}
	a.pass("registration", strings.Join(ways, ", "))
}
