package demoserver_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

const (
	base     = "http://127.0.0.1:7777"
	resource = base + "/mcp"
	verifier = "a-verifier-of-more-than-forty-three-characters"
	callback = "http://127.0.0.1:5555/callback"

	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
)

// site is a server without sockets, so that it can be used with virtual time.
type site struct {
	t *testing.T
	s *demoserver.Server
}

func newSite(t *testing.T, cfg demoserver.Config) site {
	t.Helper()
	cfg.URL = cmp.Or(cfg.URL, base)
	s, err := demoserver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return site{t, s}
}

func (s site) do(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	s.s.ServeHTTP(w, r)
	return w.Result()
}

func (s site) get(path string) *http.Response {
	return s.do(httptest.NewRequest(http.MethodGet, base+path, nil))
}

func (s site) post(path string, form url.Values) *http.Response {
	r := httptest.NewRequest(http.MethodPost, base+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r)
}

// answer is any JSON object in a response.
type answer struct {
	status int
	fields map[string]any
}

func (a answer) text(name string) string { v, _ := a.fields[name].(string); return v }

func (s site) json(resp *http.Response) answer {
	s.t.Helper()
	a := answer{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&a.fields); err != nil {
		s.t.Fatalf("status %d: %v", resp.StatusCode, err)
	}
	return a
}

func (s site) register(metadata map[string]any) answer {
	s.t.Helper()
	body, err := json.Marshal(metadata)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.json(s.do(httptest.NewRequest(http.MethodPost, base+"/register", bytes.NewReader(body))))
}

// app registers a public client for every grant and returns its ID.
func (s site) app() string {
	s.t.Helper()
	a := s.register(map[string]any{
		"client_name":                "a test",
		"redirect_uris":              []string{"http://127.0.0.1/callback"},
		"grant_types":                []string{deviceGrant, "authorization_code", "refresh_token"},
		"token_endpoint_auth_method": "none",
	})
	if a.status != http.StatusCreated {
		s.t.Fatalf("register: %+v", a)
	}
	return a.text("client_id")
}

func (s site) startDevice(id string) answer {
	s.t.Helper()
	a := s.json(s.post("/device_authorization", url.Values{"client_id": {id}, "resource": {resource}}))
	if a.status != http.StatusOK {
		s.t.Fatalf("device authorization: %+v", a)
	}
	return a
}

func (s site) poll(id string, d answer) answer {
	s.t.Helper()
	return s.json(s.post("/token", url.Values{
		"grant_type": {deviceGrant}, "client_id": {id}, "device_code": {d.text("device_code")}, "resource": {resource},
	}))
}

func (s site) refresh(id, token string) answer {
	s.t.Helper()
	return s.json(s.post("/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {id}, "refresh_token": {token}, "resource": {resource},
	}))
}

var hidden = regexp.MustCompile(`name="form" value="([^"]+)"`)

// formOf returns the hidden secret of the form on a page.
func (s site) formOf(resp *http.Response) string {
	s.t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	m := hidden.FindSubmatch(body)
	if m == nil {
		s.t.Fatalf("no form on the page (status %d): %s", resp.StatusCode, body)
	}
	return html.UnescapeString(string(m[1]))
}

// decide types the user code in lower case without a hyphen, and submits the
// decision.
func (s site) decide(d answer, decision string) {
	s.t.Helper()
	typed := strings.ToLower(strings.ReplaceAll(d.text("user_code"), "-", " "))
	form := s.formOf(s.post("/device", url.Values{"user_code": {typed}}))
	resp := s.post("/device", url.Values{"user_code": {d.text("user_code")}, "form": {form}, "decision": {decision}})
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("the response to the decision is %d", resp.StatusCode)
	}
}

// login completes the device flow.
func (s site) login() (id string, tokens answer) {
	s.t.Helper()
	id = s.app()
	d := s.startDevice(id)
	s.decide(d, "approve")
	return id, s.poll(id, d)
}

// mcpStatus calls tools/list.
func (s site) mcpStatus(token string) int {
	r := httptest.NewRequest(http.MethodPost, resource, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	return s.do(r).StatusCode
}

func wantError(t *testing.T, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.text("error") != code {
		t.Errorf("got status %d, fields %v; want %d and error %q", a.status, a.fields, status, code)
	}
}

func TestChallengeLeadsToMetadata(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	resp := s.do(httptest.NewRequest(http.MethodPost, resource, nil))
	challenge := resp.Header.Get("WWW-Authenticate")
	m := regexp.MustCompile(`resource_metadata="?([^",]+)`).FindStringSubmatch(challenge)
	if resp.StatusCode != http.StatusUnauthorized || m == nil {
		t.Fatalf("status %d, challenge %q", resp.StatusCode, challenge)
	}
	prm := s.json(s.get(strings.TrimPrefix(m[1], base)))
	if prm.text("resource") != resource {
		t.Errorf("resource = %q, want %q", prm.text("resource"), resource)
	}
	if meta := s.json(s.get("/.well-known/oauth-authorization-server")); meta.text("issuer") != base {
		t.Errorf("issuer = %q, want %q", meta.text("issuer"), base)
	}
}

func TestDeviceFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, demoserver.Config{})
		id := s.app()
		d := s.startDevice(id)
		if complete := d.text("verification_uri_complete"); complete != base+"/device?user_code="+d.text("user_code") {
			t.Errorf("verification_uri_complete = %q", complete)
		}
		wantError(t, s.poll(id, d), http.StatusBadRequest, "authorization_pending")

		time.Sleep(time.Second) // sooner than the interval of 2 s
		wantError(t, s.poll(id, d), http.StatusBadRequest, "slow_down")
		time.Sleep(2 * time.Second) // early: the interval was 7 s, and is now 12 s
		wantError(t, s.poll(id, d), http.StatusBadRequest, "slow_down")
		time.Sleep(12 * time.Second)
		wantError(t, s.poll(id, d), http.StatusBadRequest, "authorization_pending")

		s.decide(d, "approve")
		time.Sleep(12 * time.Second)
		tokens := s.poll(id, d)
		if tokens.status != http.StatusOK || tokens.text("refresh_token") == "" || tokens.fields["expires_in"] != 600.0 {
			t.Fatalf("tokens: status %d", tokens.status)
		}
		if got := s.mcpStatus(tokens.text("access_token")); got != http.StatusOK {
			t.Errorf("tools/list with the token = %d", got)
		}
		wantError(t, s.poll(id, d), http.StatusBadRequest, "invalid_grant")

		time.Sleep(10*time.Minute + time.Second)
		if got := s.mcpStatus(tokens.text("access_token")); got != http.StatusUnauthorized {
			t.Errorf("tools/list with an expired token = %d", got)
		}
	})
}

func TestDeviceDeniedAndExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, demoserver.Config{CodeTTL: time.Minute})
		id := s.app()
		no := s.startDevice(id)
		s.decide(no, "deny")
		wantError(t, s.poll(id, no), http.StatusBadRequest, "access_denied")

		late := s.startDevice(id)
		time.Sleep(time.Minute + time.Second)
		wantError(t, s.poll(id, late), http.StatusBadRequest, "expired_token")
		if resp := s.get("/device?user_code=" + late.text("user_code")); resp.StatusCode != http.StatusNotFound {
			t.Errorf("page of an expired code = %d", resp.StatusCode)
		}
	})
}

func TestDeviceAutoApproval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, demoserver.Config{AutoApprove: 3 * time.Second})
		id := s.app()
		d := s.startDevice(id)
		time.Sleep(2 * time.Second)
		wantError(t, s.poll(id, d), http.StatusBadRequest, "authorization_pending")
		time.Sleep(2 * time.Second)
		if tokens := s.poll(id, d); tokens.status != http.StatusOK {
			t.Errorf("after the time of approval: %v", tokens.fields)
		}
	})
}

func TestOldRefreshTokenEndsTheFamily(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	id, first := s.login()
	second := s.refresh(id, first.text("refresh_token"))
	if second.status != http.StatusOK || second.text("refresh_token") == first.text("refresh_token") {
		t.Fatalf("refresh: status %d", second.status)
	}
	wantError(t, s.refresh(id, first.text("refresh_token")), http.StatusBadRequest, "invalid_grant")
	wantError(t, s.refresh(id, second.text("refresh_token")), http.StatusBadRequest, "invalid_grant")
	for _, token := range []string{first.text("access_token"), second.text("access_token")} {
		if got := s.mcpStatus(token); got != http.StatusUnauthorized {
			t.Errorf("tools/list after the reuse = %d", got)
		}
	}
}

func TestRevoke(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	id, tokens := s.login()
	other := s.app()
	s.post("/revoke", url.Values{"client_id": {other}, "token": {tokens.text("refresh_token")}})
	if got := s.mcpStatus(tokens.text("access_token")); got != http.StatusOK {
		t.Fatalf("another client revoked the token: %d", got)
	}
	for _, token := range []string{"unknown", tokens.text("refresh_token")} {
		if resp := s.post("/revoke", url.Values{"client_id": {id}, "token": {token}}); resp.StatusCode != http.StatusOK {
			t.Errorf("revoke = %d", resp.StatusCode)
		}
	}
	if got := s.mcpStatus(tokens.text("access_token")); got != http.StatusUnauthorized {
		t.Errorf("tools/list after the revocation = %d", got)
	}
	wantError(t, s.refresh(id, tokens.text("refresh_token")), http.StatusBadRequest, "invalid_grant")
}

func authorizeURL(id string, change url.Values) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {id}, "redirect_uri": {callback}, "state": {"a state"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		"resource": {resource}, "scope": {"mcp:tools"},
	}
	for name, values := range change {
		q[name] = values
	}
	return "/authorize?" + q.Encode()
}

// redirectQuery returns the query of the redirect to the client.
func redirectQuery(t *testing.T, resp *http.Response) url.Values {
	t.Helper()
	u, err := resp.Location()
	if err != nil || !strings.HasPrefix(u.String(), callback+"?") {
		t.Fatalf("redirect to %v (%v), status %d", u, err, resp.StatusCode)
	}
	if q := u.Query(); q.Get("iss") != base || q.Get("state") != "a state" {
		t.Errorf("response without iss or state: %v", q)
	}
	return u.Query()
}

func (s site) redeem(id, code, verifier string) answer {
	s.t.Helper()
	return s.json(s.post("/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {id}, "code": {code}, "code_verifier": {verifier},
		"redirect_uri": {callback}, "resource": {resource},
	}))
}

func TestCodeFlow(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	id := s.app()
	form := s.formOf(s.get(authorizeURL(id, nil)))
	code := redirectQuery(t, s.post("/authorize", url.Values{"form": {form}, "decision": {"approve"}})).Get("code")

	wantError(t, s.redeem(id, code, "another verifier"), http.StatusBadRequest, "invalid_grant")
	tokens := s.redeem(id, code, verifier)
	if got := s.mcpStatus(tokens.text("access_token")); got != http.StatusOK {
		t.Fatalf("tools/list = %d, token status %d", got, tokens.status)
	}
	wantError(t, s.redeem(id, code, verifier), http.StatusBadRequest, "invalid_grant")
	if got := s.mcpStatus(tokens.text("access_token")); got != http.StatusUnauthorized {
		t.Errorf("tools/list after the code was used twice = %d", got)
	}

	form = s.formOf(s.get(authorizeURL(id, nil)))
	if got := redirectQuery(t, s.post("/authorize", url.Values{"form": {form}, "decision": {"deny"}})).Get("error"); got != "access_denied" {
		t.Errorf("error = %q", got)
	}
	if resp := s.post("/authorize", url.Values{"form": {form}, "decision": {"approve"}}); resp.StatusCode != http.StatusConflict {
		t.Errorf("a repeated decision = %d", resp.StatusCode)
	}
}

func TestAuthorizeErrors(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	id := s.app()
	for _, tt := range []struct {
		name   string
		change url.Values
		want   string
	}{
		{"no PKCE", url.Values{"code_challenge": nil}, "invalid_request"},
		{"plain PKCE", url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
		{"no resource", url.Values{"resource": nil}, "invalid_target"},
		{"another resource", url.Values{"resource": {resource + "/"}}, "invalid_target"},
		{"two resources", url.Values{"resource": {resource, resource}}, "invalid_target"},
		{"unknown scope", url.Values{"scope": {"mcp:tools admin"}}, "invalid_scope"},
		{"implicit flow", url.Values{"response_type": {"token"}}, "unsupported_response_type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := redirectQuery(t, s.get(authorizeURL(id, tt.change))).Get("error"); got != tt.want {
				t.Errorf("error = %q, want %q", got, tt.want)
			}
		})
	}
	for name, change := range map[string]url.Values{
		"unknown client": {"client_id": {"nobody"}},
		"other path":     {"redirect_uri": {"http://127.0.0.1:5555/elsewhere"}},
		"other host":     {"redirect_uri": {"https://evil.example/callback"}},
	} {
		resp := s.get(authorizeURL(id, change))
		if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
			t.Errorf("%s: status %d, Location %q", name, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

func TestClientAuthentication(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		a := s.register(map[string]any{"grant_types": []string{deviceGrant}, "token_endpoint_auth_method": method})
		id, secret := a.text("client_id"), a.text("client_secret")
		if a.fields["client_secret_expires_at"] != 0.0 {
			t.Errorf("client_secret_expires_at = %v", a.fields["client_secret_expires_at"])
		}
		start := func(form url.Values, user, password string) int {
			form.Set("resource", resource)
			r := httptest.NewRequest(http.MethodPost, base+"/device_authorization", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if user != "" {
				r.SetBasicAuth(user, password)
			}
			return s.do(r).StatusCode
		}
		for name, got := range map[string]int{
			"client_secret_basic": start(url.Values{}, id, secret),
			"client_secret_post":  start(url.Values{"client_id": {id}, "client_secret": {secret}}, "", ""),
			"wrong secret":        start(url.Values{}, id, secret+"x"),
			"no secret":           start(url.Values{"client_id": {id}}, "", ""),
		} {
			want := http.StatusUnauthorized
			if name == method {
				want = http.StatusOK
			}
			if got != want {
				t.Errorf("%s client, %s: status %d, want %d", method, name, got, want)
			}
		}
	}
}

func TestGrantMustBeRegistered(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	a := s.register(map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "none"})
	got := s.json(s.post("/device_authorization", url.Values{"client_id": {a.text("client_id")}, "resource": {resource}}))
	wantError(t, got, http.StatusBadRequest, "unauthorized_client")
}

func TestRegistrationErrors(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	for code, metadata := range map[string]map[string]any{
		"invalid_redirect_uri":    {"redirect_uris": []string{"http://example.com/callback"}},
		"invalid_client_metadata": {"grant_types": []string{"password"}},
	} {
		wantError(t, s.register(metadata), http.StatusBadRequest, code)
	}
}

func TestRegistrationIsManaged(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	a := s.register(map[string]any{"grant_types": []string{deviceGrant}, "token_endpoint_auth_method": "none"})
	manage := func(method, token, body string) *http.Response {
		r := httptest.NewRequest(method, a.text("registration_client_uri"), strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		return s.do(r)
	}
	token := a.text("registration_access_token")
	if resp := manage(http.MethodGet, "wrong", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("GET with a wrong token = %d", resp.StatusCode)
	}
	changed := s.json(manage(http.MethodPut, token,
		`{"client_name":"new","grant_types":["`+deviceGrant+`"],"token_endpoint_auth_method":"none"}`))
	if changed.text("client_name") != "new" || changed.text("client_id") != a.text("client_id") {
		t.Errorf("PUT: %v", changed.fields)
	}
	if resp := manage(http.MethodDelete, token, ""); resp.StatusCode != http.StatusNoContent {
		t.Errorf("DELETE = %d", resp.StatusCode)
	}
	got := s.json(s.post("/device_authorization", url.Values{"client_id": {a.text("client_id")}, "resource": {resource}}))
	wantError(t, got, http.StatusUnauthorized, "invalid_client")
}

func TestFormsOfOtherSitesAreRejected(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	id := s.app()
	d := s.startDevice(id)
	form := s.formOf(s.get("/device?user_code=" + d.text("user_code")))
	body := url.Values{"user_code": {d.text("user_code")}, "form": {form}, "decision": {"approve"}}.Encode()
	r := httptest.NewRequest(http.MethodPost, base+"/device", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp := s.do(r); resp.StatusCode != http.StatusForbidden {
		t.Errorf("cross-site form = %d", resp.StatusCode)
	}
	forged := s.post("/device", url.Values{"user_code": {d.text("user_code")}, "form": {"guessed"}, "decision": {"approve"}})
	if forged.StatusCode != http.StatusConflict {
		t.Errorf("guessed form secret = %d", forged.StatusCode)
	}
	wantError(t, s.poll(id, d), http.StatusBadRequest, "authorization_pending")
}

func TestContentSecurityPolicy(t *testing.T) {
	s := newSite(t, demoserver.Config{})
	for _, path := range []string{"/", "/device", authorizeURL(s.app(), nil)} {
		csp := s.get(path).Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://rebound.example/device", nil)
	if resp := s.do(r); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host name = %d", resp.StatusCode)
	}
}

func TestUserCodesCannotBeGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, demoserver.Config{})
		d := s.startDevice(s.app())
		page := "/device?user_code=" + d.text("user_code")
		for range 30 {
			s.get("/device?user_code=BBBB-BBBB")
		}
		if resp := s.get(page); resp.StatusCode != http.StatusNotFound {
			t.Errorf("the right code after 30 wrong ones = %d", resp.StatusCode)
		}
		time.Sleep(time.Minute + time.Second)
		if resp := s.get(page); resp.StatusCode != http.StatusOK {
			t.Errorf("the right code a minute later = %d", resp.StatusCode)
		}
	})
}

// bearer adds a token to every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func TestTools(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	s := newSite(t, demoserver.Config{URL: base})
	_, tokens := s.login()
	// The token was issued without a socket; the tools need a real one.
	web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = strings.TrimPrefix(base, "http://")
		s.s.ServeHTTP(w, r)
	})
	web.Start()
	defer web.Close()

	var progress atomic.Int64 // the handler runs concurrently
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) {
			progress.Add(1)
		},
	})
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint:   web.URL + "/mcp",
		HTTPClient: &http.Client{Transport: bearer(tokens.text("access_token"))},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()

	list, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range list.Tools {
		if a := tool.Annotations; a == nil || !a.ReadOnlyHint || a.OpenWorldHint == nil || *a.OpenWorldHint {
			t.Errorf("%s changes something, or reaches beyond the server: %+v", tool.Name, a)
		}
	}
	for _, tt := range []struct {
		tool string
		args map[string]any
		want string
	}{
		{"whoami", nil, "user demo through a test, scope mcp:tools"},
		{"add", map[string]any{"a": 2, "b": 3}, "5"},
		{"ticks", map[string]any{"n": 3}, "3 ticks"},
		{"text", map[string]any{"n": 100_000}, strings.Repeat("x", 100_000)},
	} {
		params := &mcp.CallToolParams{Name: tt.tool, Arguments: tt.args}
		if tt.tool == "ticks" {
			params.SetProgressToken("p")
		}
		result, err := session.CallTool(t.Context(), params)
		if err != nil {
			t.Errorf("%s: %v", tt.tool, err)
			continue
		}
		if got := result.Content[0].(*mcp.TextContent).Text; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s = %.80q, want %.80q", tt.tool, got, tt.want)
		}
	}
	if progress.Load() == 0 {
		t.Error("ticks reported no progress")
	}
}

func TestNewRejectsOtherURLs(t *testing.T) {
	for _, raw := range []string{"", "127.0.0.1:80", "http://127.0.0.1/path", ":"} {
		if _, err := demoserver.New(demoserver.Config{URL: raw}); err == nil {
			t.Errorf("New(%q) succeeded", raw)
		}
	}
}
