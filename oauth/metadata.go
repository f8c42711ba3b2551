package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Limits on the lists of a metadata document, because they are stored.
const (
	maxIssuers = 16
	maxList    = 256
	maxEntry   = 256
)

// IssuerError means that metadata names another issuer than the one it was
// fetched for, so it must not be used (RFC 8414 §3.3). The comparison is exact:
// case, port and a trailing slash matter.
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
// OpenID Connect Discovery §4), from the first of its well-known URLs that has
// a document of exactly this issuer:
//
//	https://host/.well-known/oauth-authorization-server/path
//	https://host/.well-known/openid-configuration/path
//	https://host/path/.well-known/openid-configuration
//
// An issuer without a path has only the first two. It skips a URL with 4xx,
// without JSON (some sites serve their home page for every URL) or with a
// document of another issuer, which is never used. A network error or 5xx ends
// the search: a later URL might have a less complete document.
func FetchServer(ctx context.Context, c *http.Client, issuer string) (Server, error) {
	return FetchServerAs(ctx, c, issuer, issuer)
}

// FetchServerAs is FetchServer for an issuer whose metadata names a different
// issuer, published. Use it only if the user accepted exactly that pair. At some
// large vendors they differ in a slash, a path or a host. The Server's Issuer is
// the published one.
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

// UnpublishedError means that no well-known URL of an issuer has its metadata.
type UnpublishedError struct {
	Issuer string
	Err    error // the most specific error of the URLs
}

func (e *UnpublishedError) Error() string {
	return fmt.Sprintf("authorization server metadata of %s: %v", Sanitize(e.Issuer, 200), e.Err)
}

// Unwrap returns the most specific error of the URLs.
func (e *UnpublishedError) Unwrap() error { return e.Err }

// moreSpecific returns the error that explains more: an issuer mismatch rather
// than a 404.
func moreSpecific(old, err error) error {
	if old == nil || errors.Is(err, ErrIssuer) && !errors.Is(old, ErrIssuer) {
		return err
	}
	return old
}

// MetadataURLs returns the well-known URLs that FetchServer tries for an
// issuer, in order; nil if the issuer is not a valid URL.
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

// fetchMetadata reads one document and validates it.
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

// check returns an error if any endpoint is not a valid URL, even an endpoint
// that is not used: the server is broken or hostile.
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

// LegacyServer returns the authorization server of an MCP server of the
// 2025-03-26 specification, which has no resource metadata: its origin is the
// issuer. The metadata is at the well-known URL of the server's path
// (peaberry-studio/arche#398) or of its root; without metadata the result has
// the default endpoints and Guessed. Call it only after [Discover] returned
// ErrNoMetadata.
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
			s, err = fetchMetadata(ctx, c, serverURLs(at)[0], origin, header) // the origin controls its paths
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
		CodeChallengeMethods:  []string{"S256"}, // the 2025-03-26 specification requires PKCE
		Guessed:               true,
	}, nil
}

// legacyIssuers returns the possible issuers of a 2025-03-26 server: its URL
// and its origin.
func legacyIssuers(u *url.URL) []string {
	origin, path := originOf(u), strings.TrimRight(u.EscapedPath(), "/")
	if path == "" {
		return []string{origin}
	}
	return []string{origin + path, origin}
}

// isMissing reports whether a URL has no metadata document: it responded with a
// permanent error or without JSON.
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
