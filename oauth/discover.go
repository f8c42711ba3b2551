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

// Versions of the MCP specification that requests of this package name.
const (
	mcpVersion       = "2026-07-28"
	mcpVersionLegacy = "2025-03-26"
)

// wellKnownResource is where RFC 9728 §3 puts the metadata of a resource.
const wellKnownResource = "/.well-known/oauth-protected-resource"

// NoMetadataError is ErrNoMetadata with what the MCP server answered to a
// request without a token.
type NoMetadataError struct {
	Status int
	Err    error // why the metadata that the challenge names cannot be used; nil: it names none
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

// ResourceError is ErrResource with the resource that the metadata is for.
type ResourceError struct {
	Resource string // as published; it may be hostile
	Server   string // that was asked, without query
	Reason   string
}

func (e *ResourceError) Error() string {
	return fmt.Sprintf("%v: it is for %q, %s %s", ErrResource, Sanitize(e.Resource, 200), e.Reason, e.Server)
}

// Below reports whether the resource is below the URL that was asked, which is then
// not the MCP server's own.
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

// Discover asks an MCP server, without a token, where it wants to be
// authorized, and reads its metadata (RFC 9728): from the resource_metadata of
// the challenge, else from the well-known place of the server's path, else from
// that of its root. Only 404 and its like lead on to the next place, and a
// resource_metadata that cannot be used; after a 5xx the next could be the wrong
// one for good.
//
// It returns ErrNoAuthorization if the server answers without a token, a
// *NotServerError if nothing there is an MCP server, and a *NoMetadataError if it
// asks for a token and does not say where to get it. What the challenge says of
// scopes and DPoP is in the Resource also then.
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

// errNoIssuer: metadata of a resource that name no usable authorization server.
var errNoIssuer = fmt.Errorf("%w: it lists no usable authorization server", ErrAnswer)

// findResource reads the metadata from the first place that has it. Metadata that
// name no authorization server are returned with the *NoMetadataError.
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

// metadataURLs are where the metadata can be: first where the challenges say. Servers
// name places that do not exist (getsentry/sentry-mcp#939) or that cannot be
// requested: in single quotes, without a host, or over http behind TLS
// (QwenLM/qwen-code#5343, andrea-magni/MARS#203). The server's own places are as
// trustworthy as what it names.
func (p probed) metadataURLs(server *url.URL) []string {
	return append(slices.Clone(p.metadata), resourceURLs(server)...)
}

// probed is what the MCP server said to a request without a token.
type probed struct {
	status    int
	mediaType string   // media type of the answer
	metadata  []string // resource_metadata of the challenges
	scope     string   // scope of the challenge
	dpop      bool     // only DPoP is offered
	open      bool     // it served the request, or judged it
	sse       bool     // it speaks the old transport
}

// probe sends tools/list. Servers may leave initialize open, so that alone
// shows the 401 that a caller will meet. It carries what both wires, with and
// without sessions, want to see.
//
// Servers that know only older versions may refuse the request for that, before they
// look for a token: they are asked once more as a client of 2025-03-26 does
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

// probeAs sends tools/list as a client of one version.
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

// isRPC reports whether a refusal is a JSON-RPC message: then the server
// judged the request itself, not the missing token.
func isRPC(body io.Reader) bool {
	var msg struct {
		Version string `json:"jsonrpc"`
	}
	return json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&msg) == nil && msg.Version == "2.0"
}

// readChallenges reads resource_metadata (RFC 9728 §5.1) of each challenge for a
// token, and scope (RFC 6750 §3) of the first that has it.
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

// resourceURLs are the well-known places of a server's metadata in order:
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

// originOf keeps scheme and host as they were written.
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

// checkResource holds the published resource against the URL that was asked
// for. RFC 9728 §3.3 wants them identical; MCP servers publish their origin or
// a path above the endpoint too. That is accepted, since the one who serves the
// origin could publish the exact URL as well. Another origin, or a path beside
// ours, is refused.
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
