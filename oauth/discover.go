package oauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// Versions of the MCP specification that this package sends.
const (
	mcpVersion       = "2026-07-28"
	mcpVersionLegacy = "2025-03-26"
)

// wellKnownResource is the well-known path of resource metadata (RFC 9728 §3).
const wellKnownResource = "/.well-known/oauth-protected-resource"

// NoMetadataError is ErrNoMetadata with the MCP server's response to a request
// without a token.
type NoMetadataError struct {
	Status int
	Err    error // why the metadata that the challenge names cannot be used; nil: the challenge names none
}

func (e *NoMetadataError) Error() string {
	if e.Err != nil {
		return "protected resource metadata: " + e.Err.Error()
	}
	return fmt.Sprintf("%v (it answered HTTP %d without a token)", ErrNoMetadata, e.Status)
}

// Unwrap returns why the named metadata cannot be used.
func (e *NoMetadataError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrNoMetadata) true.
func (e *NoMetadataError) Is(target error) bool { return target == ErrNoMetadata }

// ResourceError is ErrResource with the resource named in the metadata.
type ResourceError struct {
	Resource string // as published; it may be hostile
	Server   string // the URL of the MCP server, without query
	Reason   string
}

func (e *ResourceError) Error() string {
	return fmt.Sprintf("%v: it is for %q, %s %s", ErrResource, Sanitize(e.Resource, 200), e.Reason, e.Server)
}

// Below reports whether the resource's path is below that of Server: then Server is
// probably not the URL of the MCP server itself.
func (e *ResourceError) Below() bool {
	resource, err1 := CheckURL(e.Resource)
	server, err2 := CheckURL(e.Server)
	if err1 != nil || err2 != nil || !netcheck.SameOrigin(resource, server) {
		return false
	}
	return strings.HasPrefix(resource.EscapedPath(), strings.TrimRight(server.EscapedPath(), "/")+"/")
}

// Is makes errors.Is(err, ErrResource) true.
func (e *ResourceError) Is(target error) bool { return target == ErrResource }

// Discover sends the MCP server a request without a token and reads its
// protected resource metadata (RFC 9728): from the resource_metadata URL of the
// challenge, else from the well-known URL of the server's path, else from that
// of its root. It tries the next URL after 404 and similar responses, and after
// an unusable resource_metadata. It does not after a 5xx: the next URL might
// have the wrong metadata.
//
// It returns ErrNoAuthorization if the server requires no token, a
// *NotServerError if the URL does not lead to an MCP server, and a
// *NoMetadataError if the server requires a token and publishes no metadata. The
// Resource has the scopes and DPoP of the challenge even with an error.
func Discover(ctx context.Context, c *http.Client, serverURL string) (Resource, error) {
	server, err := CheckURL(serverURL)
	if err != nil {
		return Resource{}, err
	}
	p, err := probe(ctx, c, serverURL)
	if moved, ok := errors.AsType[*RedirectError](err); ok {
		return Resource{}, redirectError(serverURL, moved)
	}
	if err == nil && p.mayBeSSE() {
		p = probeSSE(ctx, c, serverURL, p)
	}
	if err != nil {
		return Resource{}, err
	}
	r, err := p.findResource(ctx, c, server)
	r.ChallengeScope, r.DPoP, r.SSE = p.scope, r.DPoP || p.dpop, p.sse
	if none, ok := err.(*NoMetadataError); ok && none.Err == nil {
		return r, p.diagnose(server)
	}
	return r, err
}

// errNoIssuer: resource metadata that names no usable authorization server.
var errNoIssuer = fmt.Errorf("%w: it lists no usable authorization server", ErrAnswer)

// findResource reads the metadata from the first URL that has it. Metadata that
// names no authorization server is returned with the *NoMetadataError.
func (p probed) findResource(ctx context.Context, c *http.Client, server *url.URL) (Resource, error) {
	var named, empty error
	var without Resource
	for i, rawURL := range p.metadataURLs(server) {
		r, err := fetchResource(ctx, c, rawURL, server)
		isNamed := i < len(p.metadata)
		switch {
		case err == nil:
			return r, nil
		case errors.Is(err, errNoIssuer):
			empty, without = cmp.Or(empty, err), r
		case isNamed && (isMissing(err) || isPolicyError(err) && !errors.Is(err, ErrAnswer)):
			named = cmp.Or(named, err)
		case !isMissing(err):
			return Resource{}, fmt.Errorf("protected resource metadata: %w", err)
		}
	}
	return without, &NoMetadataError{Status: p.status, Err: cmp.Or(empty, named)}
}

// metadataURLs returns where the metadata can be: the URLs in the challenges, then
// the well-known URLs. Servers name URLs that do not exist (getsentry/sentry-mcp#939)
// or are invalid: in single quotes, without a host, or http although the server uses
// TLS (QwenLM/qwen-code#5343, andrea-magni/MARS#203). The well-known URLs are as
// trustworthy, because they are at the server's own origin.
func (p probed) metadataURLs(server *url.URL) []string {
	return append(slices.Clone(p.metadata), resourceURLs(server)...)
}

// probed is the MCP server's response to a request without a token.
type probed struct {
	status    int
	mediaType string   // of the response
	metadata  []string // resource_metadata of the challenges
	scope     string   // scope of the challenge
	dpop      bool     // only DPoP is offered
	open      bool     // it processed the request without a token
	sse       bool     // it uses the HTTP+SSE transport of 2024-11-05
}

// probe sends tools/list without a token. Servers may allow initialize without
// one, so only this request shows the 401 that a client will get. The request
// satisfies both protocol versions, with and without sessions.
//
// Servers that support only older versions may reject the request before they check
// for a token: probe then retries as a client of 2025-03-26
// (different-ai/openwork#3569).
func probe(ctx context.Context, c *http.Client, serverURL string) (probed, error) {
	p, err := probeAs(ctx, c, serverURL, mcpVersion, probeBody)
	if err != nil || p.status != http.StatusBadRequest {
		return p, err
	}
	if old, err := probeAs(ctx, c, serverURL, mcpVersionLegacy, legacyProbeBody); err == nil && old.status != http.StatusBadRequest {
		return old, nil
	}
	return p, nil
}

// probeAs sends tools/list as a client of one protocol version.
func probeAs(ctx context.Context, c *http.Client, serverURL, version, body string) (probed, error) {
	header := http.Header{
		"Accept":               {"application/json, text/event-stream"},
		"Content-Type":         {"application/json"},
		"Mcp-Protocol-Version": {version},
	}
	if version == mcpVersion {
		header.Set("Mcp-Method", "tools/list")
	}
	resp, _, err := do(ctx, c, http.MethodPost, serverURL, header, []byte(body))
	if err != nil {
		return probed{}, err
	}
	defer resp.Body.Close()
	a := &response{url: displayURL(resp.Request.URL), status: resp.StatusCode, header: resp.Header}
	if a.status >= 500 || a.status == http.StatusTooManyRequests {
		return probed{}, a.statusError()
	}
	p := probed{status: a.status, mediaType: a.contentType()}
	if a.requiresToken() {
		p.readChallenges(ParseChallenges(a.header))
		return p, nil
	}
	p.open = a.ok() && !p.isPage() || isRPC(resp.Body)
	return p, nil
}

func (a *response) requiresToken() bool {
	return a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
}

const legacyProbeBody = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`

const probeBody = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{` +
	`"io.modelcontextprotocol/protocolVersion":"` + mcpVersion + `",` +
	`"io.modelcontextprotocol/clientCapabilities":{},` +
	`"io.modelcontextprotocol/clientInfo":{"name":"mcp-login","version":"1"}}}}`

// isRPC reports whether a body is a JSON-RPC message: then the server processed
// the request, and the missing token is not the reason for the error.
func isRPC(body io.Reader) bool {
	var msg struct {
		Version string `json:"jsonrpc"`
	}
	return json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&msg) == nil && msg.Version == "2.0"
}

// readChallenges reads resource_metadata (RFC 9728 §5.1) of each Bearer or DPoP
// challenge, and scope (RFC 6750 §3) of the first that has it.
func (p *probed) readChallenges(challenges []Challenge) {
	for _, ch := range challenges {
		if ch.Scheme != "bearer" && ch.Scheme != "dpop" {
			continue
		}
		if rawURL := ch.Params["resource_metadata"]; rawURL != "" && len(p.metadata) < maxIssuers && !slices.Contains(p.metadata, rawURL) {
			p.metadata = append(p.metadata, rawURL)
		}
		if p.scope == "" {
			p.scope = strings.Join(ch.Scopes(), " ")
		}
	}
	offers := func(scheme string) bool {
		return slices.ContainsFunc(challenges, func(ch Challenge) bool { return ch.Scheme == scheme })
	}
	p.dpop = offers("dpop") && !offers("bearer")
}

// resourceURLs returns the well-known URLs of the server's metadata, in order:
// for its path and query (RFC 9728 §3.1), then for its root.
func resourceURLs(server *url.URL) []string {
	root := originOf(server) + wellKnownResource
	path := server.EscapedPath()
	query := ""
	if server.RawQuery != "" {
		query = "?" + server.RawQuery
	}
	var urls []string
	for _, p := range []string{path, strings.TrimRight(path, "/")} {
		if rawURL := root + p + query; p != "" && p != "/" && !slices.Contains(urls, rawURL) {
			urls = append(urls, rawURL)
		}
	}
	return append(urls, root)
}

// originOf returns scheme and host as they are written in u.
func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

func fetchResource(ctx context.Context, c *http.Client, rawURL string, server *url.URL) (Resource, error) {
	var r Resource
	header := http.Header{"Mcp-Protocol-Version": {mcpVersion}}
	if err := getJSON(ctx, c, rawURL, header, &r); err != nil {
		return Resource{}, err
	}
	if err := checkResource(r.URL, server); err != nil {
		return Resource{}, err
	}
	r.Name = Sanitize(r.Name, maxCode)
	r.Scopes = usableScopes(r.Scopes)
	r.Issuers = usableIssuers(r.Issuers)
	if len(r.Issuers) == 0 {
		return r, errNoIssuer
	}
	return r, nil
}

// checkResource compares the published resource with the MCP server's URL. RFC
// 9728 §3.3 requires them to be identical, but some MCP servers publish their
// origin or a parent path. That is accepted, because anyone who controls the
// origin could publish the exact URL too. Another origin or a sibling path is
// rejected.
func checkResource(resource string, server *url.URL) error {
	refuse := func(why string) error {
		return &ResourceError{Resource: resource, Server: displayURL(server), Reason: why}
	}
	u, err := CheckURL(resource)
	if err != nil {
		return &ResourceError{Resource: resource, Server: displayURL(server), Reason: "which is not a URL of"}
	}
	if !netcheck.SameOrigin(u, server) {
		return refuse("not on the origin of")
	}
	if u.RawQuery != "" && u.RawQuery != server.RawQuery {
		return refuse("whose query is not that of")
	}
	above := strings.TrimRight(u.EscapedPath(), "/")
	path := strings.TrimRight(server.EscapedPath(), "/")
	if path != above && !strings.HasPrefix(path, above+"/") {
		return refuse("which is not above")
	}
	return nil
}
