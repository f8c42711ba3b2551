package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	mcpURL   = "https://mcp.test/mcp"
	pathPRM  = "https://mcp.test/.well-known/oauth-protected-resource/mcp"
	rootPRM  = "https://mcp.test/.well-known/oauth-protected-resource"
	otherPRM = "https://mcp.test/custom/metadata/location.json"
)

func unauthorized(challenge ...string) page {
	return page{status: http.StatusUnauthorized, header: http.Header{"Www-Authenticate": challenge}}
}

func resourceMetadata(resource string) page {
	return page{body: fmt.Sprintf(`{"resource":%q,"authorization_servers":["https://as.test"],"scopes_supported":["a","b"]}`, resource)}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	hint := `Bearer resource_metadata="` + otherPRM + `", scope="mcp:basic more"`
	for _, tt := range []struct {
		name     string
		pages    map[string]page
		requests []string
		scope    string
		err      error
	}{
		{"checklist 2 and 3: resource_metadata of the header, and no other request",
			map[string]page{mcpURL: unauthorized("Basic realm=x", hint), otherPRM: resourceMetadata(mcpURL), pathPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + otherPRM}, "mcp:basic more", nil},
		{"checklist 3a: path before root",
			map[string]page{mcpURL: unauthorized("Bearer"), pathPRM: resourceMetadata(mcpURL), rootPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + pathPRM}, "", nil},
		{"checklist 3b: root after path",
			map[string]page{mcpURL: unauthorized(), rootPRM: resourceMetadata("https://mcp.test")},
			[]string{"POST " + mcpURL, "GET " + pathPRM, "GET " + rootPRM}, "", nil},
		{"checklist 3: neither",
			map[string]page{mcpURL: unauthorized(`Bearer scope="x"`)},
			[]string{"POST " + mcpURL, "GET " + pathPRM, "GET " + rootPRM}, "x", oauth.ErrNoMetadata},
		{"a web page instead of metadata is skipped",
			map[string]page{mcpURL: unauthorized(), pathPRM: {body: "<!doctype html>"}, rootPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + pathPRM, "GET " + rootPRM}, "", nil},
		{"a 5xx ends the search",
			map[string]page{mcpURL: unauthorized(), pathPRM: {status: 503}, rootPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + pathPRM}, "", errTemporary},
		{"the header's URL does not exist: the well-known URLs are used",
			map[string]page{mcpURL: unauthorized(hint), pathPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + otherPRM, "GET " + pathPRM}, "mcp:basic more", nil},
		{"the header's URL does not exist, and no other either",
			map[string]page{mcpURL: unauthorized(hint)},
			[]string{"POST " + mcpURL, "GET " + otherPRM, "GET " + pathPRM, "GET " + rootPRM}, "mcp:basic more", errAny},
		{"the first of two does not exist",
			map[string]page{mcpURL: unauthorized(`Bearer resource_metadata="https://mcp.test/gone"`, hint), otherPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET https://mcp.test/gone", "GET " + otherPRM}, "mcp:basic more", nil},
		{"single quotes",
			map[string]page{mcpURL: unauthorized(`Bearer resource_metadata='` + otherPRM + `'`), pathPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + pathPRM}, "", nil},
		{"a relative URL",
			map[string]page{mcpURL: unauthorized(`Bearer resource_metadata="/custom/metadata/location.json"`), pathPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + pathPRM}, "", nil},
		{"http at a server with TLS",
			map[string]page{mcpURL: unauthorized(`Bearer resource_metadata="http://mcp.test/x"`), pathPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + pathPRM}, "", nil},
		{"the header's URL is for another resource: no other URL is tried",
			map[string]page{mcpURL: unauthorized(hint), otherPRM: resourceMetadata("https://evil.test/mcp"), pathPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + otherPRM}, "mcp:basic more", oauth.ErrResource},
		{"the HTTP+SSE transport requires a token only for GET",
			map[string]page{mcpURL: {status: 405}, "GET " + mcpURL: unauthorized(hint), otherPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + mcpURL, "GET " + otherPRM}, "mcp:basic more", nil},
		{"403 counts as a challenge",
			map[string]page{mcpURL: {status: 403, header: http.Header{"Www-Authenticate": {hint}}}, otherPRM: resourceMetadata(mcpURL)},
			[]string{"POST " + mcpURL, "GET " + otherPRM}, "mcp:basic more", nil},
		{"no token required",
			map[string]page{mcpURL: {body: `{}`}},
			[]string{"POST " + mcpURL, "GET " + pathPRM, "GET " + rootPRM}, "", oauth.ErrNoAuthorization},
		{"no token required: a JSON-RPC error",
			map[string]page{mcpURL: {status: 400, body: `{"jsonrpc":"2.0","error":{"code":-32000}}`}},
			[]string{"POST " + mcpURL, "POST " + mcpURL, "GET " + pathPRM, "GET " + rootPRM}, "", oauth.ErrNoAuthorization},
		{"the probe's 5xx", map[string]page{mcpURL: {status: 502}}, []string{"POST " + mcpURL}, "", errTemporary},
		{"checklist 28: metadata over http", map[string]page{mcpURL: unauthorized(`Bearer resource_metadata="http://mcp.test/x"`)},
			[]string{"POST " + mcpURL, "GET " + pathPRM, "GET " + rootPRM}, "", errURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := site(tt.pages)
			r, err := oauth.Discover(t.Context(), w.client(), mcpURL)
			checkErr(t, err, tt.err)
			if !reflect.DeepEqual(w.requests, tt.requests) {
				t.Errorf("requests %q, want %q", w.requests, tt.requests)
			}
			want(t, "ChallengeScope", r.ChallengeScope, tt.scope)
			if old := strings.HasPrefix(tt.name, "the HTTP+SSE transport"); r.SSE != old {
				t.Errorf("SSE is %v", r.SSE)
			}
			if err == nil {
				want(t, "Issuers", fmt.Sprint(r.Issuers), "[https://as.test]")
				want(t, "Scopes", fmt.Sprint(r.Scopes), "[a b]")
			}
		})
	}
}

// These kinds of error have no sentinel.
var (
	errAny       = errors.New("any error")
	errTemporary = errors.New("a temporary error")
	errURL       = errors.New("a *URLError")
)

func checkErr(t *testing.T, got, want error) {
	t.Helper()
	ok := errors.Is(got, want)
	switch want {
	case errAny:
		ok = got != nil
	case errTemporary:
		ok = oauth.Temporary(got)
	case errURL:
		_, ok = errors.AsType[*oauth.URLError](got)
	}
	if !ok {
		t.Errorf("error = %v, want %v", got, want)
	}
}

func TestDiscoverPlaces(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ server, want string }{
		{"https://mcp.test", "GET https://mcp.test/.well-known/oauth-protected-resource"},
		{"https://mcp.test/", "GET https://mcp.test/.well-known/oauth-protected-resource"},
		{"https://mcp.test/a/", "GET https://mcp.test/.well-known/oauth-protected-resource/a/ GET https://mcp.test/.well-known/oauth-protected-resource/a GET https://mcp.test/.well-known/oauth-protected-resource"},
		{"https://mcp.test/a?k=v", "GET https://mcp.test/.well-known/oauth-protected-resource/a?k=v GET https://mcp.test/.well-known/oauth-protected-resource"},
	} {
		w := site(map[string]page{tt.server: unauthorized()})
		_, err := oauth.Discover(t.Context(), w.client(), tt.server)
		checkErr(t, err, oauth.ErrNoMetadata)
		want(t, tt.server, strings.Join(w.requests[1:], " "), tt.want)
	}
}

func TestDiscoverResource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		resource string
		ok       bool
	}{
		{"https://mcp.test/mcp", true},
		{"https://mcp.test/mcp/", true},
		{"https://mcp.test", true},
		{"https://mcp.test/", true},
		{"https://mcp.test:443/mcp", true},
		{"https://MCP.test/mcp", true},
		{"https://evil.example.com/mcp", false},
		{"https://mcp.test/mc", false},
		{"https://mcp.test/mcp/deeper", false},
		{"https://mcp.test/other", false},
		{"https://mcp.test:8443/mcp", false},
		{"http://mcp.test/mcp", false},
		{"https://mcp.test/mcp?k=v", false},
		{"https://mcp.test/mcp#f", false},
		{"https://user@mcp.test/mcp", false},
		{"", false},
	} {
		t.Run("checklist 6 and 35: "+tt.resource, func(t *testing.T) {
			t.Parallel()
			w := site(map[string]page{mcpURL: unauthorized(), pathPRM: resourceMetadata(tt.resource)})
			r, err := oauth.Discover(t.Context(), w.client(), mcpURL)
			if !tt.ok {
				checkErr(t, err, oauth.ErrResource)
				return
			}
			checkErr(t, err, nil)
			want(t, "URL", r.URL, tt.resource) // byte for byte
		})
	}
}

func TestDiscoverHostileMetadata(t *testing.T) {
	t.Parallel()
	list := `"https://as.test","http://as.test","javascript:alert(1)","https://u:p@as.test","https://as2.test"`
	for _, tt := range []struct {
		name, body string
		issuers    string
		err        error
	}{
		{"unusable issuers are left out", `{"resource":"` + mcpURL + `","authorization_servers":[` + list + `]}`, "[https://as.test https://as2.test]", nil},
		{"no issuer", `{"resource":"` + mcpURL + `"}`, "[]", oauth.ErrAnswer},
		{"wrong type", `{"resource":5}`, "[]", oauth.ErrResource},
		{"broken", `{"resource":`, "[]", oauth.ErrAnswer},
		{"too long", `{"x":"` + strings.Repeat("a", 1<<20) + `"}`, "[]", oauth.ErrAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := site(map[string]page{mcpURL: unauthorized(), pathPRM: {body: tt.body}})
			r, err := oauth.Discover(t.Context(), w.client(), mcpURL)
			checkErr(t, err, tt.err)
			want(t, "Issuers", fmt.Sprint(r.Issuers), tt.issuers)
		})
	}
}

func TestDiscoverText(t *testing.T) {
	t.Parallel()
	body := `{"resource":"` + mcpURL + `","authorization_servers":["https://as.test"],` +
		`"resource_name":"Evil\u001b[31m\u202e name","scopes_supported":["ok","b\"ad","a b",""]}`
	w := site(map[string]page{mcpURL: unauthorized(), pathPRM: {body: body}})
	r, err := oauth.Discover(t.Context(), w.client(), mcpURL)
	checkErr(t, err, nil)
	want(t, "Name", r.Name, "Evil[31m name")
	want(t, "Scopes", fmt.Sprint(r.Scopes), "[ok]")
}

// TestNotAServer: the error describes what a URL is if it is not an MCP server.
func TestNotAServer(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	moved := func(to string) page { return page{status: 307, header: http.Header{"Location": {to}}} }
	for _, tt := range []struct {
		name  string
		pages map[string]page
		want  string
		try   string
	}{
		{"not found", map[string]page{}, "has no MCP server at this path (HTTP 404)", ""},
		{"a web page", map[string]page{mcpURL: {header: html, body: "<!doctype html>"}}, "answers with a web page", ""},
		{"no POST", map[string]page{mcpURL: {status: 405}}, "does not accept MCP messages", ""},
		{"retired", map[string]page{mcpURL: {status: 410}}, "no longer has an MCP server (HTTP 410)", ""},
		{"another path", map[string]page{mcpURL: moved("https://mcp.test/mcp/")}, "redirects to https://mcp.test/mcp/", "https://mcp.test/mcp/"},
		{"a login page", map[string]page{mcpURL: moved("https://mcp.test/login")}, "redirects to https://mcp.test/login", "-"},
		{"another host", map[string]page{mcpURL: moved("https://other.test/mcp")}, "redirects to https://other.test/mcp", "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := oauth.Discover(t.Context(), site(tt.pages).client(), mcpURL)
			e, ok := errors.AsType[*oauth.NotServerError](err)
			if err == nil || !strings.Contains(err.Error(), tt.want) || ok != (tt.try != "-") || ok && e.Try != tt.try {
				t.Errorf("error = %v (%t), want %q in it", err, ok, tt.want)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	w := site(map[string]page{mcpURL: {status: 307, header: http.Header{"Location": {"https://mcp.test/v2"}}}})
	_, err := oauth.Discover(t.Context(), w.client(), mcpURL)
	e, ok := errors.AsType[*oauth.RedirectError](err)
	if !ok || e.To != "https://mcp.test/v2" || !strings.Contains(err.Error(), "use its URL") {
		t.Errorf("error = %v, want a *RedirectError that names the target", err)
	}
	want(t, "requests", len(w.requests), 1)
	want(t, "Authorization", w.last.Header.Get("Authorization"), "")
	want(t, "Accept", w.last.Header.Get("Accept"), "application/json, text/event-stream")
	want(t, "Mcp-Method", w.last.Header.Get("Mcp-Method"), "tools/list")
	want(t, "MCP-Protocol-Version", w.last.Header.Get("MCP-Protocol-Version"), "2026-07-28")
	want(t, "User-Agent", w.last.Header.Get("User-Agent"), "mcp-login")
	for _, part := range []string{`"method":"tools/list"`, `io.modelcontextprotocol/protocolVersion`, `io.modelcontextprotocol/clientInfo`} {
		if !strings.Contains(w.body, part) {
			t.Errorf("probe %q lacks %s", w.body, part)
		}
	}
}
