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

func asMetadata(issuer string) page {
	return page{body: fmt.Sprintf(`{"issuer":%q,"token_endpoint":"https://as.test/token","device_authorization_endpoint":"https://as.test/device"}`, issuer)}
}

func TestFetchServer(t *testing.T) {
	t.Parallel()
	const (
		host = "https://as.test"
		path = "https://as.test/tenant1"
		as   = "https://as.test/.well-known/oauth-authorization-server"
		oidc = "https://as.test/.well-known/openid-configuration"
	)
	withPath := []string{as + "/tenant1", oidc + "/tenant1", path + "/.well-known/openid-configuration"}
	for _, tt := range []struct {
		name     string
		issuer   string
		pages    map[string]page
		requests []string
		err      error
	}{
		{"checklist 7 and 8: path, RFC 8414", path, map[string]page{withPath[0]: asMetadata(path), withPath[1]: asMetadata(path)}, withPath[:1], nil},
		{"checklist 8: path, OIDC inserted", path, map[string]page{withPath[1]: asMetadata(path), withPath[2]: asMetadata(path)}, withPath[:2], nil},
		{"checklist 8: path, OIDC appended", path, map[string]page{withPath[2]: asMetadata(path), as: asMetadata(path)}, withPath, nil},
		{"checklist 8: the root is never requested", path, map[string]page{as: asMetadata(path)}, withPath, errAny},
		{"checklist 8: a trailing slash is removed only from the well-known URLs", path + "/", map[string]page{withPath[0]: asMetadata(path + "/")}, withPath[:1], nil},
		{"checklist 7 and 9: no path, RFC 8414", host, map[string]page{as: asMetadata(host), oidc: asMetadata(host)}, []string{as}, nil},
		{"checklist 7 and 9: no path, OIDC", host, map[string]page{oidc: asMetadata(host)}, []string{as, oidc}, nil},
		{"checklist 10: another issuer", host, map[string]page{as: asMetadata("https://evil.test")}, []string{as, oidc}, oauth.ErrIssuer},
		{"checklist 10: an additional trailing slash", host, map[string]page{as: asMetadata(host + "/")}, []string{as, oidc}, oauth.ErrIssuer},
		{"checklist 10: a missing trailing slash", host + "/", map[string]page{as: asMetadata(host)}, []string{as, oidc}, oauth.ErrIssuer},
		{"checklist 10: case", host, map[string]page{as: asMetadata("https://AS.test")}, []string{as, oidc}, oauth.ErrIssuer},
		{"checklist 10: no issuer at all", host, map[string]page{as: {body: `{"token_endpoint":"https://as.test/t"}`}}, []string{as, oidc}, oauth.ErrIssuer},
		{"the root's document under every path is skipped", path,
			map[string]page{withPath[0]: asMetadata(host), withPath[2]: asMetadata(path)}, withPath, nil},
		{"a web page at every URL is skipped", host, map[string]page{as: {body: "<html>"}, oidc: asMetadata(host)}, []string{as, oidc}, nil},
		{"5xx ends the search", host, map[string]page{as: {status: 503}, oidc: asMetadata(host)}, []string{as}, errTemporary},
		{"429 ends the search", host, map[string]page{as: {status: 429}, oidc: asMetadata(host)}, []string{as}, errTemporary},
		{"405 continues the search", host, map[string]page{as: {status: 405}, oidc: asMetadata(host)}, []string{as, oidc}, nil},
		{"broken JSON", host, map[string]page{as: {body: `{"issuer":`}}, []string{as}, oauth.ErrAnswer},
		{"checklist 28: issuer over http", "http://as.test", nil, nil, errURL},
		{"issuer with a query", host + "?a=b", nil, nil, errURL},
		{"issuer with a fragment", host + "#", nil, nil, errURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := site(tt.pages)
			s, err := oauth.FetchServer(t.Context(), w.client(), tt.issuer)
			checkErr(t, err, tt.err)
			if got, want := strings.Join(w.requests, " "), "GET "+strings.Join(tt.requests, " GET "); tt.requests != nil && got != want {
				t.Errorf("requests %s\n    want %s", got, want)
			}
			if tt.err == nil {
				want(t, "Issuer", s.Issuer, tt.issuer)
				want(t, "DeviceAuthorizationEndpoint", s.DeviceAuthorizationEndpoint, "https://as.test/device")
			} else {
				want(t, "TokenEndpoint", s.TokenEndpoint, "") // checklist 10: never used
			}
		})
	}
}

func TestIssuerError(t *testing.T) {
	t.Parallel()
	w := site(map[string]page{"https://as.test/.well-known/oauth-authorization-server": asMetadata("https://as.test/")})
	_, err := oauth.FetchServer(t.Context(), w.client(), "https://as.test")
	e, ok := errors.AsType[*oauth.IssuerError](err)
	if !ok || e.Want != "https://as.test" || e.Got != "https://as.test/" {
		t.Fatalf("error = %#v, want an *IssuerError with both issuers", err)
	}
	if !strings.Contains(err.Error(), "trailing slash") {
		t.Errorf("error %q has no explanation", err)
	}
}

func TestFetchServerEndpoints(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"authorization_endpoint", "device_authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"} {
		for _, bad := range []string{"http://as.test/x", "javascript:alert(1)", "file:///etc/passwd", "https://u:p@as.test/x", "https://as.test/\\u001b[31m", "-flag", "https://as.test/#f"} {
			t.Run("checklist 28: "+name+" "+bad, func(t *testing.T) {
				t.Parallel()
				doc := fmt.Sprintf(`{"issuer":"https://as.test","token_endpoint":"https://as.test/token","%s":"%s"}`, name, bad)
				w := site(map[string]page{"https://as.test/.well-known/oauth-authorization-server": {body: doc}})
				_, err := oauth.FetchServer(t.Context(), w.client(), "https://as.test")
				checkErr(t, err, errURL)
			})
		}
	}
	w := site(map[string]page{"https://as.test/.well-known/oauth-authorization-server": {body: `{"issuer":"https://as.test"}`}})
	_, err := oauth.FetchServer(t.Context(), w.client(), "https://as.test")
	checkErr(t, err, oauth.ErrAnswer) // no token endpoint
}

func TestLegacyServer(t *testing.T) {
	t.Parallel()
	const rawURL = "https://mcp.test/.well-known/oauth-authorization-server"
	doc := page{body: `{"issuer":"https://mcp.test","token_endpoint":"https://mcp.test/t"}`}

	w := site(map[string]page{rawURL: doc})
	s, err := oauth.LegacyServer(t.Context(), w.client(), mcpURL)
	checkErr(t, err, nil)
	want(t, "TokenEndpoint", s.TokenEndpoint, "https://mcp.test/t")
	want(t, "MCP-Protocol-Version", w.last.Header.Get("MCP-Protocol-Version"), "2025-03-26")

	w = site(nil)
	s, err = oauth.LegacyServer(t.Context(), w.client(), mcpURL)
	checkErr(t, err, nil)
	wantServer := oauth.Server{
		Issuer: "https://mcp.test", AuthorizationEndpoint: "https://mcp.test/authorize",
		TokenEndpoint: "https://mcp.test/token", RegistrationEndpoint: "https://mcp.test/register",
		CodeChallengeMethods: []string{"S256"}, Guessed: true,
	}
	if !reflect.DeepEqual(s, wantServer) {
		t.Errorf("LegacyServer = %+v, want %+v", s, wantServer)
	}
	want(t, "requests", strings.Join(w.requests, " "), "GET "+rawURL+"/mcp GET "+rawURL)

	for _, issuer := range []string{"https://mcp.test/mcp", "https://mcp.test"} {
		w = site(map[string]page{rawURL + "/mcp": asMetadata(issuer), rawURL: asMetadata("https://evil.test")})
		s, err = oauth.LegacyServer(t.Context(), w.client(), mcpURL)
		checkErr(t, err, nil)
		want(t, "issuer of the path's own document", s.Issuer, issuer)
		want(t, "guessed", s.Guessed, false)
	}
	w = site(map[string]page{rawURL + "/mcp": asMetadata("https://evil.test"), rawURL: asMetadata("https://mcp.test")})
	s, err = oauth.LegacyServer(t.Context(), w.client(), mcpURL)
	checkErr(t, err, nil)
	want(t, "issuer with a document of another", s.Issuer, "https://mcp.test")

	_, err = oauth.LegacyServer(t.Context(), site(map[string]page{rawURL: {status: 500}}).client(), mcpURL)
	checkErr(t, err, errTemporary)
	_, err = oauth.LegacyServer(t.Context(), site(map[string]page{rawURL: asMetadata("https://evil.test")}).client(), mcpURL)
	checkErr(t, err, oauth.ErrIssuer)
	_, err = oauth.LegacyServer(t.Context(), site(nil).client(), "http://mcp.test/mcp")
	checkErr(t, err, errURL)
}

// FuzzMetadata: accepted metadata has the requested issuer and only valid
// endpoints.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(asMetadata("https://as.test").body))
	f.Add([]byte(`{"issuer":"https://as.test","token_endpoint":"http://as.test/t","scopes_supported":["a",""]}`))
	f.Add([]byte(`{"issuer":"https://as.test","ISSUER":"https://evil.test","token_endpoint":"https://as.test/t"}`))
	f.Add([]byte(`{"resource":"https://mcp.test/mcp","authorization_servers":["https://as.test"]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		w := &fakeTransport{handle: func(w http.ResponseWriter, r *http.Request) { w.Write(doc) }}
		s, err := oauth.FetchServer(t.Context(), w.client(), "https://as.test")
		if err == nil {
			want(t, "Issuer", s.Issuer, "https://as.test")
			for _, raw := range []string{s.TokenEndpoint, s.AuthorizationEndpoint, s.DeviceAuthorizationEndpoint, s.RegistrationEndpoint, s.RevocationEndpoint} {
				if _, err := oauth.CheckURL(raw); raw != "" && err != nil {
					t.Errorf("endpoint %q accepted: %v", raw, err)
				}
			}
		}
		r, err := oauth.Discover(t.Context(), w.client(), mcpURL)
		if err == nil && (!strings.HasPrefix(strings.ToLower(r.URL), "https://mcp.test") || len(r.Issuers) == 0) {
			t.Errorf("resource %q with issuers %q accepted", r.URL, r.Issuers)
		}
	})
}
