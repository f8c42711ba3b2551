package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Caps on lists of a metadata document, which end up in the store.
const (
	maxIssuers = 16
	maxList    = 256
	maxEntry   = 256
)

// IssuerError says that metadata names another issuer than the one it was
// fetched for (RFC 8414 §3.3), so that it must not be used. Strings are
// compared as they are: case, a port or a trailing slash make a difference.
type IssuerError struct{ Want, Got, URL string }

func (e *IssuerError) Error() string {
	hint := ""
	if strings.TrimRight(e.Want, "/") == strings.TrimRight(e.Got, "/") {
		hint = "; they differ only in a trailing slash, so ask the server's operator to fix it"
	}
	return fmt.Sprintf("%v: %s names issuer %q, expected %q%s", ErrIssuer, e.URL, Sanitize(e.Got, 200), Sanitize(e.Want, 200), hint)
}

// Is makes errors.Is(err, ErrIssuer) true.
func (e *IssuerError) Is(target error) bool { return target == ErrIssuer }

// FetchServer reads the metadata of an authorization server (RFC 8414 §3.1,
// OpenID Connect Discovery §4), from the first of its well-known places that
// has a document of exactly this issuer:
//
//	https://host/.well-known/oauth-authorization-server/path
//	https://host/.well-known/openid-configuration/path
//	https://host/path/.well-known/openid-configuration
//
// Without a path the first two, without it. A place that answers 4xx, no JSON
// (some sites serve their front page everywhere) or a document of another
// issuer is passed over; the document is never used. A network fault or 5xx
// ends the search: what comes later in the list could be the poorer document.
func FetchServer(ctx context.Context, c *http.Client, issuer string) (Server, error) {
	return FetchServerAs(ctx, c, issuer, issuer)
}

// FetchServerAs is FetchServer for an issuer whose metadata names another one,
// published, if a person has accepted exactly that. Some large vendors differ by a
// slash, a path or a host. The server's issuer is then the published one.
func FetchServerAs(ctx context.Context, c *http.Client, issuer, published string) (Server, error) {
	u, err := CheckURL(issuer)
	if err != nil {
		return Server{}, fmt.Errorf("issuer: %w", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return Server{}, fmt.Errorf("issuer: %w", &URLError{URL: displayURL(u), Reason: "has a query"})
	}
	var passed error
	for _, rawURL := range serverURLs(u) {
		s, err := fetchMetadata(ctx, c, rawURL, published, nil)
		if other, ok := errors.AsType[*IssuerError](err); ok {
			other.Want = issuer
		}
		if err == nil {
			return s, nil
		}
		if !isMissing(err) && !errors.Is(err, ErrIssuer) {
			return Server{}, fmt.Errorf("authorization server metadata: %w", err)
		}
		passed = moreSpecific(passed, err)
	}
	return Server{}, &UnpublishedError{Issuer: issuer, Err: passed}
}

// UnpublishedError says that no well-known place of an issuer has metadata of it.
type UnpublishedError struct {
	Issuer string
	Err    error // what was found at one of the places
}

func (e *UnpublishedError) Error() string {
	return fmt.Sprintf("authorization server metadata of %s: %v", Sanitize(e.Issuer, 200), e.Err)
}

// Unwrap returns what was found.
func (e *UnpublishedError) Unwrap() error { return e.Err }

// moreSpecific keeps the error that explains most: an issuer mismatch over a 404.
func moreSpecific(old, err error) error {
	if old == nil || errors.Is(err, ErrIssuer) && !errors.Is(old, ErrIssuer) {
		return err
	}
	return old
}

// MetadataURLs returns where FetchServer looks for the metadata of an issuer,
// in order; nil if the issuer is no usable URL.
func MetadataURLs(issuer string) []string {
	u, err := CheckURL(issuer)
	if err != nil {
		return nil
	}
	return serverURLs(u)
}

func serverURLs(u *url.URL) []string {
	const oauth, oidc = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	origin, path := originOf(u), strings.TrimRight(u.EscapedPath(), "/")
	if path == "" {
		return []string{origin + oauth, origin + oidc}
	}
	return []string{origin + oauth + path, origin + oidc + path, origin + path + oidc}
}

// fetchMetadata reads one document and checks all that is used of it.
func fetchMetadata(ctx context.Context, c *http.Client, rawURL, issuer string, header http.Header) (Server, error) {
	var s Server
	if err := getJSON(ctx, c, rawURL, header, &s); err != nil {
		return Server{}, err
	}
	if s.Issuer != issuer {
		return Server{}, &IssuerError{Want: issuer, Got: s.Issuer, URL: rawURL}
	}
	if err := s.check(); err != nil {
		return Server{}, fmt.Errorf("%s: %w", rawURL, err)
	}
	s.GrantTypes = usableList(s.GrantTypes)
	s.Scopes = usableScopes(s.Scopes)
	s.TokenAuthMethods = usableList(s.TokenAuthMethods)
	s.TokenAuthAlgs = usableList(s.TokenAuthAlgs)
	s.CodeChallengeMethods = usableList(s.CodeChallengeMethods)
	s.DPoPAlgs = usableList(s.DPoPAlgs)
	return s, nil
}

// check refuses a server with one endpoint that must not be used, even if it
// would not be: it is broken or hostile.
func (s Server) check() error {
	if s.TokenEndpoint == "" {
		return fmt.Errorf("%w: no token_endpoint", ErrAnswer)
	}
	for _, e := range s.Endpoints() {
		if e.URL == "" {
			continue
		}
		if _, err := CheckURL(e.URL); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

// LegacyServer returns the authorization server of an MCP server of
// specification 2025-03-26, which has no resource metadata: its own origin is
// the issuer, with metadata at the well-known place of the server's path (as at
// peaberry-studio/arche#398) or of its root, or the default endpoints, which are
// then a guess. Call it only after [Discover] returned ErrNoMetadata.
func LegacyServer(ctx context.Context, c *http.Client, serverURL string) (Server, error) {
	u, err := CheckURL(serverURL)
	if err != nil {
		return Server{}, err
	}
	origin := originOf(u)
	header := http.Header{"Mcp-Protocol-Version": {mcpVersionLegacy}}
	for _, issuer := range legacyIssuers(u) {
		at, err := CheckURL(issuer)
		if err != nil {
			continue
		}
		s, err := fetchMetadata(ctx, c, serverURLs(at)[0], issuer, header)
		if other, ok := errors.AsType[*IssuerError](err); ok && other.Got == origin {
			s, err = fetchMetadata(ctx, c, serverURLs(at)[0], origin, header) // the origin vouches for its paths
		}
		if err == nil {
			return s, nil
		}
		if !isMissing(err) && (issuer == origin || !errors.Is(err, ErrIssuer)) {
			return Server{}, fmt.Errorf("authorization server metadata: %w", err)
		}
	}
	return Server{
		Issuer:                origin,
		AuthorizationEndpoint: origin + "/authorize",
		TokenEndpoint:         origin + "/token",
		RegistrationEndpoint:  origin + "/register",
		CodeChallengeMethods:  []string{"S256"}, // that specification requires it
		Guessed:               true,
	}, nil
}

// legacyIssuers are the issuers that an MCP server can be itself: its URL, and
// its origin.
func legacyIssuers(u *url.URL) []string {
	origin, path := originOf(u), strings.TrimRight(u.EscapedPath(), "/")
	if path == "" {
		return []string{origin}
	}
	return []string{origin + path, origin}
}

// isMissing reports whether a place simply has no document: 4xx other than
// "come back later", a redirect that is not followed, or something that is not
// JSON.
func isMissing(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return !e.temporary()
	}
	return errors.Is(err, errNotJSON)
}

func usableIssuers(issuers []string) []string {
	var list []string
	for _, s := range issuers {
		if _, err := CheckURL(s); err == nil && len(list) < maxIssuers {
			list = append(list, s)
		}
	}
	return list
}

func usableScopes(scopes []string) []string {
	var list []string
	for _, s := range scopes {
		if isScope(s) && len(s) <= maxEntry && len(list) < maxList {
			list = append(list, s)
		}
	}
	return list
}

func usableList(values []string) []string {
	var list []string
	for _, s := range values {
		if s != "" && isVSChar(s, maxEntry) && len(list) < maxList {
			list = append(list, s)
		}
	}
	return list
}
