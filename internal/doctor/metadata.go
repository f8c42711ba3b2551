package doctor

import (
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
)

// challenge judges the answer to a request without a token.
func (s Server) challenge(seen *recorder) []Finding {
	a := &area{name: "challenge"}
	for _, x := range seen.of(func(u string) bool { return u == s.URL }) {
		if x.resp == nil {
			return nil
		}
		a.status(x.resp)
		if x.resp.StatusCode == http.StatusUnauthorized || x.resp.StatusCode == http.StatusForbidden {
			a.header(x.resp.Header)
		}
	}
	return a.findings
}

// status judges the status of an answer to a request without a token.
func (a *area) status(resp *http.Response) {
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		a.pass("status", "401 without a token")
	case code == http.StatusForbidden:
		a.warn("status", "403 instead of 401 without a token", "RFC 6750 §3", "clients that wait for 401 do not sign in; the server's operator must fix it")
	case code < 300:
		a.pass("status", fmt.Sprintf("%d: it answers without a token", code))
	case code == http.StatusNotFound:
		a.fail("status", "404: nothing is at this path", "", "check the path of the URL; many servers are at /mcp")
	case code < 400:
		a.fail("status", fmt.Sprintf("%d: it redirects to %s", code, oauth.Sanitize(resp.Header.Get("Location"), 200)), "", "if that is the MCP server, use its URL")
	default:
		a.warn("status", fmt.Sprintf("%d instead of 401 without a token", code), "RFC 6750 §3", "")
	}
}

// header judges WWW-Authenticate.
func (a *area) header(h http.Header) {
	const name = "WWW-Authenticate"
	mark := len(a.findings)
	challenges := oauth.ParseChallenges(h)
	bearer := slices.IndexFunc(challenges, func(c oauth.Challenge) bool { return c.Scheme == "bearer" || c.Scheme == "dpop" })
	switch {
	case h.Get(name) == "":
		a.warn(name, "the header is missing, so that clients must guess where the metadata is", "RFC 9110 §15.5.2", "")
	case bearer < 0:
		a.warn(name, "it names neither Bearer nor DPoP", "RFC 6750 §3", "")
	case challenges[bearer].Params["resource_metadata"] == "":
		a.warn(name, "it has no resource_metadata, so that clients must guess where the metadata is", "RFC 9728 §5.1", "")
	default:
		if _, err := oauth.CheckURL(challenges[bearer].Params["resource_metadata"]); err != nil {
			a.fail(name, "resource_metadata: "+oauth.Sanitize(err.Error(), 200), "RFC 9728 §5.1", "")
		}
	}
	a.passUnless(mark, name, "")
}

// document is a JSON document as it was published.
type document struct {
	url    string
	fields map[string]any
}

// documents returns those documents that came from the wanted places, and a
// finding for each that is none.
func (a *area) documents(seen *recorder, wanted func(string) bool) (docs []document) {
	for _, x := range seen.of(wanted) {
		if x.resp == nil || x.resp.StatusCode != http.StatusOK {
			continue // the next place was tried
		}
		d := document{url: x.url}
		if err := json.Unmarshal(x.body.Bytes(), &d.fields); err != nil {
			a.warn(place(x.url), "the answer is not a JSON object", "RFC 8259 §2", "")
			continue
		}
		if media, _, _ := mime.ParseMediaType(x.resp.Header.Get("Content-Type")); media != "application/json" {
			a.warn(place(x.url), fmt.Sprintf("the media type is %q, not application/json", oauth.Sanitize(media, 60)), "RFC 8414 §3.2", "")
		}
		docs = append(docs, d)
	}
	return docs
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

// resource judges the metadata of the protected resource (RFC 9728).
func (s Server) resource(seen *recorder) []Finding {
	a := &area{name: "resource metadata"}
	named := s.namedMetadata(seen)
	docs := a.documents(seen, func(u string) bool { return u == named || strings.Contains(u, wellKnownResource) })
	for _, d := range docs {
		s.judgeResource(a, d)
	}
	if len(docs) == 0 && len(a.findings) == 0 {
		a.warn("document", "the server publishes none, so that its own origin is taken for the authorization server", "RFC 9728 §3", "")
	}
	return a.findings
}

// namedMetadata is the place that the challenge names; "": none.
func (s Server) namedMetadata(seen *recorder) string {
	for _, x := range seen.of(func(u string) bool { return u == s.URL }) {
		if x.resp == nil {
			continue
		}
		for _, c := range oauth.ParseChallenges(x.resp.Header) {
			if named := c.Params["resource_metadata"]; named != "" {
				return named
			}
		}
	}
	return ""
}

func (s Server) judgeResource(a *area, d document) {
	mark, check := len(a.findings), place(d.url)
	switch resource, ok := d.fields["resource"].(string); {
	case !ok:
		a.fail(check, "resource is missing", "RFC 9728 §2", "")
	case resource != s.URL:
		a.warn(check, fmt.Sprintf("resource is %q, not the URL that was asked", oauth.Sanitize(resource, 200)), "RFC 9728 §3.3", "some clients compare exactly and refuse")
	}
	listed, _ := d.fields["authorization_servers"].([]any)
	if len(listed) == 0 {
		a.fail(check, "authorization_servers is missing or empty", "RFC 9728 §2, required by MCP", "mcp-login login NAME URL --issuer URL names one")
	}
	for _, v := range listed {
		a.judgeIssuer(check, v)
	}
	if methods, ok := d.fields["bearer_methods_supported"].([]any); ok && !slices.Contains(methods, any("header")) {
		a.warn(check, "bearer_methods_supported does not list header, which MCP uses", "RFC 9728 §2", "")
	}
	a.passUnless(mark, check, "")
}

// judgeIssuer judges one entry of authorization_servers.
func (a *area) judgeIssuer(check string, v any) {
	issuer, ok := v.(string)
	if !ok {
		a.fail(check, "authorization_servers has an entry that is not a text", "RFC 9728 §2", "")
		return
	}
	u, err := oauth.CheckURL(issuer)
	if err != nil {
		a.fail(check, "authorization_servers: "+oauth.Sanitize(err.Error(), 200), "RFC 8414 §2", "")
	} else if u.RawQuery != "" || u.Fragment != "" {
		a.fail(check, fmt.Sprintf("the issuer %q has a query or a fragment", oauth.Sanitize(issuer, 200)), "RFC 8414 §2", "")
	}
}

// authorizationServer judges the metadata of one issuer (RFC 8414).
func (s Server) authorizationServer(seen *recorder, issuer string) []Finding {
	a := &area{name: "authorization server " + oauth.Sanitize(issuer, 200)}
	places := oauth.MetadataPlaces(issuer)
	docs := a.documents(seen, func(u string) bool { return slices.Contains(places, u) })
	for _, d := range docs {
		a.judgeServer(d, issuer)
	}
	if len(docs) == 0 && len(a.findings) == 0 {
		a.warn("document", "none at its well-known places: "+strings.Join(places, ", "), "RFC 8414 §3", "")
	}
	return a.findings
}

func (a *area) judgeServer(d document, issuer string) {
	mark, check := len(a.findings), place(d.url)
	text := func(name string) string { s, _ := d.fields[name].(string); return s }
	list := func(name string) []any { l, _ := d.fields[name].([]any); return l }
	if got := text("issuer"); got != issuer {
		a.fail(check, fmt.Sprintf("issuer is %q, not %q", oauth.Sanitize(got, 200), oauth.Sanitize(issuer, 200)), "RFC 8414 §3.3", "the server's operator must make them the same")
	}
	if text("token_endpoint") == "" {
		a.fail(check, "token_endpoint is missing", "RFC 8414 §2", "")
	}
	if len(list("response_types_supported")) == 0 {
		a.warn(check, "response_types_supported is missing", "RFC 8414 §2", "")
	}
	if text("authorization_endpoint") != "" && !slices.Contains(list("code_challenge_methods_supported"), any("S256")) {
		a.fail(check, "code_challenge_methods_supported does not list S256, so that clients cannot know that PKCE works", "RFC 8414 §2, required by MCP",
			"mcp-login login NAME URL --assume-pkce, if you know that the server supports it")
	}
	grants := list("grant_types_supported")
	if text("device_authorization_endpoint") != "" && !slices.Contains(grants, any("urn:ietf:params:oauth:grant-type:device_code")) {
		a.warn(check, "grant_types_supported does not list the device code grant, although there is an endpoint for it", "RFC 8628 §4", "")
	}
	for _, name := range slices.Sorted(endpoints(d.fields)) {
		if _, err := oauth.CheckURL(text(name)); err != nil {
			a.fail(check, name+": "+oauth.Sanitize(err.Error(), 200), "RFC 6749 §3.1.2.1", "")
		}
	}
	a.passUnless(mark, check, "")
}

// endpoints returns the names of the fields that hold an endpoint.
func endpoints(fields map[string]any) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name, v := range fields {
			if _, isText := v.(string); isText && strings.HasSuffix(name, "_endpoint") && !yield(name) {
				return
			}
		}
	}
}
