package doctor

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// challenge checks the response to a request without a token.
func (s Server) challenge(seen *recorder, d mcplogin.Discovery) []Finding {
	a := &area{name: "challenge"}
	for _, x := range seen.of(func(u string) bool { return u == s.URL }) {
		if x.resp == nil {
			return nil
		}
		if d.Resource.SSE && x.method == http.MethodPost {
			continue // the server ignores the token there
		}
		a.status(x.resp)
		if x.resp.StatusCode == http.StatusUnauthorized || x.resp.StatusCode == http.StatusForbidden {
			a.header(x.resp.Header)
		}
	}
	return a.findings
}

// status checks the status of a response to a request without a token.
func (a *area) status(resp *http.Response) {
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		a.pass("status", "401 without a token")
	case code == http.StatusForbidden:
		a.warn("status", "403 instead of 401 without a token", "RFC 6750 §3", "clients that wait for 401 do not sign in; ask the server's operator to fix it")
	case code < 300:
		a.pass("status", fmt.Sprintf("%d: it answers without a token", code))
	case code == http.StatusNotFound:
		a.fail("status", "404: nothing exists at this path", "", checkPath)
	case code == http.StatusMethodNotAllowed, code == http.StatusNotImplemented:
		a.fail("status", fmt.Sprintf("%d: nothing at this path accepts MCP messages", code), "", checkPath)
	case code == http.StatusTooManyRequests:
		a.fail("status", "429: the server has too many requests", "", "try again later")
	case code >= 500:
		a.fail("status", fmt.Sprintf("%d: the server has a fault", code), "", "try again later, or ask the server's operator to fix it")
	case code < 400:
		a.fail("status", fmt.Sprintf("%d: it redirects to %s", code, oauth.Sanitize(resp.Header.Get("Location"), 200)), "", "if that is the MCP server, use its URL")
	default:
		a.warn("status", fmt.Sprintf("%d instead of 401 without a token", code), "RFC 6750 §3", "clients that wait for 401 do not sign in; check the URL, or ask the server's operator to fix it")
	}
}

const checkPath = "check the path of the URL; many servers use /mcp"

// header checks WWW-Authenticate.
func (a *area) header(h http.Header) {
	const name = "WWW-Authenticate"
	mark := len(a.findings)
	forTokens := slices.DeleteFunc(oauth.ParseChallenges(h), func(c oauth.Challenge) bool { return c.Scheme != "bearer" && c.Scheme != "dpop" })
	places := metadataPlaces(forTokens)
	switch {
	case h.Get(name) == "":
		a.warn(name, "the header is missing, so clients must guess where the metadata is", "RFC 9110 §15.5.2", "")
	case len(forTokens) == 0:
		a.warn(name, "it has neither Bearer nor DPoP", "RFC 6750 §3", "")
	case len(places) == 0:
		a.warn(name, "it has no resource_metadata, so clients must guess where the metadata is", "RFC 9728 §5.1", "")
	}
	for _, place := range places {
		if _, err := oauth.CheckURL(place); err != nil {
			a.fail(name, "resource_metadata: "+oauth.Sanitize(err.Error(), 200), "RFC 9728 §5.1", "ask the server's operator to use the https URL of the metadata")
		}
	}
	a.passUnless(mark, name, "")
}

// metadataPlaces returns the resource_metadata URLs of the challenges.
func metadataPlaces(challenges []oauth.Challenge) (places []string) {
	for _, c := range challenges {
		if place := c.Params["resource_metadata"]; place != "" && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}

// place is a URL's path, for the name of a check.
func place(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.EscapedPath()
}

const wellKnownResource = "/.well-known/oauth-protected-resource"

// resource checks the metadata of the protected resource (RFC 9728).
func (s Server) resource(seen *recorder) []Finding {
	a := &area{name: "resource metadata"}
	named := s.namedMetadata(seen)
	isNamed := func(u string) bool { return slices.Contains(named, u) }
	docs, none := a.documents(seen, reading{
		wanted: func(u string) bool { return isNamed(u) || strings.Contains(u, wellKnownResource) }, named: isNamed,
		answer: "RFC 9728 §3.2", naming: "RFC 9728 §5.1",
	})
	for _, d := range docs {
		s.judgeResource(a, d)
	}
	if none {
		a.warn("document", "the server publishes none, so its own origin is used as the authorization server", "RFC 9728 §3", "if the sign-in fails, ask the server's operator to publish it")
	}
	return a.findings
}

// namedMetadata returns the URLs that the challenges name.
func (s Server) namedMetadata(seen *recorder) (places []string) {
	for _, x := range seen.of(func(u string) bool { return u == s.URL }) {
		if x.resp != nil {
			places = append(places, metadataPlaces(oauth.ParseChallenges(x.resp.Header))...)
		}
	}
	return places
}

func (s Server) judgeResource(a *area, d document) {
	mark, check := len(a.findings), place(d.url)
	switch resource, ok := d.fields["resource"].(string); {
	case !ok:
		a.fail(check, "resource is missing", "RFC 9728 §2", "")
	case resource != s.URL:
		a.warn(check, fmt.Sprintf("resource is %q, not the requested URL", oauth.Sanitize(resource, 200)), "RFC 9728 §3.3", "clients that compare exactly reject it")
	}
	listed, _ := d.fields["authorization_servers"].([]any)
	if len(listed) == 0 {
		a.fail(check, "authorization_servers is missing or empty", "RFC 9728 §2, required by MCP", "if you know it, use: "+s.login("--issuer", "ISSUER"))
	}
	for _, v := range listed {
		a.judgeIssuer(check, v)
	}
	if methods, ok := d.fields["bearer_methods_supported"].([]any); ok && !slices.Contains(methods, any("header")) {
		a.warn(check, "bearer_methods_supported does not list header, which MCP uses", "RFC 9728 §2", "")
	}
	a.passUnless(mark, check, "")
}

// judgeIssuer checks one entry of authorization_servers.
func (a *area) judgeIssuer(check string, v any) {
	issuer, ok := v.(string)
	if !ok {
		a.fail(check, "authorization_servers has an entry that is not a string", "RFC 9728 §2", "")
		return
	}
	u, err := oauth.CheckURL(issuer)
	if err != nil {
		a.fail(check, "authorization_servers: "+oauth.Sanitize(err.Error(), 200), "RFC 8414 §2", "")
	} else if u.RawQuery != "" || u.Fragment != "" {
		a.fail(check, fmt.Sprintf("the issuer %q has a query or a fragment", oauth.Sanitize(issuer, 200)), "RFC 8414 §2", "")
	}
}

// authorizationServer checks the metadata of one issuer (RFC 8414).
func (s Server) authorizationServer(seen *recorder, issuer string) []Finding {
	a := &area{name: "authorization server " + oauth.Sanitize(issuer, 200)}
	places := oauth.MetadataURLs(issuer)
	docs, none := a.documents(seen, reading{
		wanted: func(u string) bool { return slices.Contains(places, u) }, named: func(string) bool { return false }, answer: "RFC 8414 §3.2",
	})
	for _, d := range docs {
		s.judgeIssuerOf(a, d, issuer)
		s.judgeServer(a, d)
	}
	if none {
		a.warn("document", "none at the well-known URLs: "+strings.Join(places, ", "), "RFC 8414 §3", "ask the server's operator to publish it, or if you know its endpoints, set them: "+s.login("--issuer", issuer, "--authorization-endpoint", "URL", "--token-endpoint", "URL"))
	}
	return a.findings
}

// judgeIssuerOf checks that a document has the issuer that it was fetched for.
func (s Server) judgeIssuerOf(a *area, d document, issuer string) {
	check, accepted := place(d.url), s.Options.AcceptIssuer
	switch got, _ := d.fields["issuer"].(string); {
	case got == "":
		a.fail(check, "issuer is missing", "RFC 8414 §2", "ask its operator to publish it, or set all endpoints, so that no metadata is read: "+s.login("--issuer", issuer, "--authorization-endpoint", "URL", "--token-endpoint", "URL"))
	case got == issuer:
	case accepted.Listed == issuer && accepted.Published == got:
		a.pass(check, fmt.Sprintf("issuer is %q, which this sign-in accepts for %q", oauth.Sanitize(got, 200), oauth.Sanitize(issuer, 200)))
	default:
		pair := oauth.Sanitize(issuer, 200) + "=" + oauth.Sanitize(got, 200)
		a.fail(check, fmt.Sprintf("issuer is %q, not %q", oauth.Sanitize(got, 200), oauth.Sanitize(issuer, 200)), "RFC 8414 §3.3",
			"ask its operator to make them the same, or if the vendor runs both: "+s.login("--accept-issuer", pair))
	}
	if issuer != "" && issuer == s.Options.AcceptMissingIss {
		a.pass(check, "this sign-in accepts answers without iss")
	}
}

func (s Server) judgeServer(a *area, d document) {
	mark, check := len(a.findings), place(d.url)
	text := func(name string) string { s, _ := d.fields[name].(string); return s }
	list := func(name string) []any { l, _ := d.fields[name].([]any); return l }
	if text("token_endpoint") == "" {
		a.fail(check, "token_endpoint is missing", "RFC 8414 §2", "")
	}
	if len(list("response_types_supported")) == 0 {
		a.warn(check, "response_types_supported is missing", "RFC 8414 §2", "")
	}
	if text("authorization_endpoint") != "" && !slices.Contains(list("code_challenge_methods_supported"), any("S256")) {
		a.fail(check, "code_challenge_methods_supported does not list S256, so clients cannot know whether PKCE works", "RFC 8414 §2, required by MCP",
			"if you know that the server supports it: "+s.login("--assume-pkce"))
	}
	grants := list("grant_types_supported")
	if text("device_authorization_endpoint") != "" && !slices.Contains(grants, any("urn:ietf:params:oauth:grant-type:device_code")) {
		a.warn(check, "grant_types_supported does not list the device code grant, but the server has an endpoint for it", "RFC 8628 §4", "")
	}
	for _, name := range slices.Sorted(endpoints(d.fields)) {
		if _, err := oauth.CheckURL(text(name)); err != nil {
			a.fail(check, name+": "+oauth.Sanitize(err.Error(), 200), "RFC 6749 §3.1.2.1", "")
		}
	}
	a.passUnless(mark, check, "")
}

// endpoints returns the names of the endpoint fields.
func endpoints(fields map[string]any) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name, v := range fields {
			if _, isText := v.(string); isText && strings.HasSuffix(name, "_endpoint") && !yield(name) {
				return
			}
		}
	}
}
