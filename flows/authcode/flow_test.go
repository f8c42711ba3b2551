package authcode_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	issuer   = "https://as.test"
	resource = "https://MCP.test:443/mcp" // must be sent byte for byte
)

// server is an authorization server in memory. It serves the token endpoint; its
// authorization endpoint is simulated by a browser.
type server struct {
	meta  oauth.Server
	began chan struct{} // closed by the first exchange, if not nil
	delay chan struct{} // nil: responds immediately; otherwise when closed

	mu    sync.Mutex
	forms []url.Values
}

func newServer() *server {
	return &server{meta: oauth.Server{
		Issuer:                issuer,
		AuthorizationEndpoint: issuer + "/authorize?tenant=a%20b",
		TokenEndpoint:         issuer + "/token",
		CodeChallengeMethods:  []string{"plain", "S256"},
	}}
}

// RoundTrip is the token endpoint.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.delay != nil {
		close(s.began)
		<-s.delay
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, form)
	return &http.Response{
		StatusCode: http.StatusOK, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(`{"access_token":"access-1","token_type":"Bearer","expires_in":3600}`)),
	}, nil
}

func (s *server) exchanges() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forms
}

func (s *server) request() flows.Request {
	return flows.Request{
		Client: &oauth.Client{
			HTTP: &http.Client{Transport: s}, Server: s.meta,
			App: oauth.App{ID: "client-1", AuthMethod: "none"},
		},
		Server:   "https://mcp.test/mcp",
		Resource: resource,
		Scopes:   []string{"mcp:read", "mcp:write"},
	}
}

// requestParams returns the parameters of an authorization URL.
func requestParams(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatalf("authorization URL: %v", err)
	}
	return u.Query()
}

// redirectURL returns the URL to which the server would redirect the browser.
func redirectURL(t *testing.T, link string, add ...string) string {
	q := requestParams(t, link)
	answer := url.Values{"state": {q.Get("state")}, "code": {"code-12345"}}
	for i := 0; i < len(add); i += 2 {
		answer.Del(add[i])
		if add[i+1] != "" {
			answer.Set(add[i], add[i+1])
		}
	}
	sep := "?"
	if strings.Contains(q.Get("redirect_uri"), "?") {
		sep = "&"
	}
	return q.Get("redirect_uri") + sep + answer.Encode()
}

// shownPage is the page in a browser.
type shownPage struct {
	status int
	header http.Header
	body   string
}

// visit is a browser that follows no redirects.
func visit(t *testing.T, r *http.Request) shownPage {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Errorf("visit %s: %v", r.URL.Path, err)
		return shownPage{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("read page: %v", err)
	}
	return shownPage{resp.StatusCode, resp.Header, string(body)}
}

func get(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// browser returns an Open function that simulates the browser and its user, and a
// function that waits for its end.
func browser(do func(link string)) (open func(context.Context, string) error, wait func()) {
	var wg sync.WaitGroup
	return func(_ context.Context, link string) error {
		wg.Go(func() { do(link) })
		return nil
	}, wg.Wait
}

func TestLoginByLoopback(t *testing.T) {
	t.Run("checklist 24, 26, 33 and 35: PKCE with S256, state, resource in both requests", testLoginByLoopback)
}

func testLoginByLoopback(t *testing.T) {
	t.Parallel()
	s := newServer()
	var page shownPage
	var q url.Values
	open, wait := browser(func(link string) {
		q = requestParams(t, link)
		if !strings.HasPrefix(link, issuer+"/authorize?tenant=a%20b&") {
			t.Errorf("the endpoint's own query was not kept: %s", link)
		}
		page = visit(t, get(t, redirectURL(t, link)))
	})
	r := s.request()
	r.Params = url.Values{"prompt": {"consent"}, "audience": {"x", "y"}}
	token, err := (&authcode.Flow{Open: open}).Run(t.Context(), r)
	wait()
	if err != nil || token.Access != "access-1" {
		t.Fatalf("Run = %v, %v", token.Access, err)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "client-1", "scope": "mcp:read mcp:write", "resource": resource,
		"code_challenge_method": "S256", "prompt": "consent", "tenant": "a b",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("authorization request: %s = %q, want %q", name, got, want)
		}
	}
	if len(q["audience"]) != 2 || len(q.Get("state")) < 26 {
		t.Errorf("audience = %q, state of %d characters", q["audience"], len(q.Get("state")))
	}
	form := s.exchanges()[0]
	challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(challenge[:]) != q.Get("code_challenge") || len(form.Get("code_verifier")) < 43 {
		t.Error("the verifier does not match the challenge")
	}
	if form.Get("code") != "code-12345" || form.Get("redirect_uri") != q.Get("redirect_uri") || form.Get("resource") != resource {
		t.Errorf("token request: %v", form)
	}
	if page.status != http.StatusOK || !strings.Contains(page.body, "You are signed in") {
		t.Errorf("page: %d %s", page.status, page.body)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy: %q", csp)
	}
}

func TestScopeAndResourceLeftOut(t *testing.T) {
	t.Parallel()
	s := newServer()
	open, wait := browser(func(link string) {
		if q := requestParams(t, link); q.Has("scope") || q.Has("resource") {
			t.Errorf("request: %v", q)
		}
		visit(t, get(t, redirectURL(t, link)))
	})
	r := s.request()
	r.Scopes, r.Resource = nil, ""
	_, err := (&authcode.Flow{Open: open}).Run(t.Context(), r)
	wait()
	if err != nil || s.exchanges()[0].Has("resource") {
		t.Fatalf("Run: %v, %v", err, s.exchanges())
	}
}

// TestIssuer is the table of MCP 2026-07-28, Authorization Response Validation:
// checklist 29 to 32.
func TestIssuer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		promised bool
		iss      string // "": absent
		want     error
	}{
		{"checklist 30: promised and right", true, issuer, nil},
		{"checklist 30: promised and absent", true, "", oauth.ErrIssuer},
		{"checklist 29 and 30: promised and wrong", true, "https://evil.test", oauth.ErrIssuer},
		{"checklist 30: not promised and right", false, issuer, nil},
		{"checklist 30: not promised and absent", false, "", nil},
		{"checklist 30: not promised and wrong", false, "https://evil.test", oauth.ErrIssuer},
		{"checklist 31: trailing slash", true, issuer + "/", oauth.ErrIssuer},
		{"checklist 31: upper case", true, "https://AS.test", oauth.ErrIssuer},
		{"checklist 31: default port", true, "https://as.test:443", oauth.ErrIssuer},
		{"checklist 31: percent-encoded", true, "https://a%73.test", oauth.ErrIssuer},
		{"checklist 31: prefix", true, "https://as.tes", oauth.ErrIssuer},
	} {
		for _, by := range []string{"loopback", "paste"} {
			t.Run(tt.name+" by "+by, func(t *testing.T) {
				t.Parallel()
				s := newServer()
				s.meta.ResponseIss = tt.promised
				err := answerBy(t, s, by, func(link string) string { return redirectURL(t, link, "iss", tt.iss) })
				if !errors.Is(err, tt.want) {
					t.Fatalf("Run: %v, want %v", err, tt.want)
				}
				if want := map[bool]int{true: 1}[tt.want == nil]; len(s.exchanges()) != want {
					t.Errorf("%d exchanges, want %d", len(s.exchanges()), want)
				}
			})
		}
	}
}

// answerBy runs a login whose only authorization response arrives by loopback or is
// pasted.
func answerBy(t *testing.T, s *server, by string, answer func(link string) string) error {
	t.Helper()
	if by == "paste" {
		links := make(prompt, 1)
		f := &authcode.Flow{Prompt: links, Paste: func(ctx context.Context, rejected error) (string, error) {
			if rejected != nil {
				return "", rejected
			}
			return answer((<-links).URL), nil
		}}
		_, err := f.Run(t.Context(), s.request())
		return err
	}
	open, wait := browser(func(link string) { visit(t, get(t, answer(link))) })
	_, err := (&authcode.Flow{Open: open}).Run(t.Context(), s.request())
	wait()
	return err
}

// prompt records the link that was shown.
type prompt chan authcode.Link

func (p prompt) ShowLink(_ context.Context, l authcode.Link) { p <- l }

func TestErrorResponses(t *testing.T) {
	t.Parallel()
	const secret = "<script>alert(1)</script>\x1b[31m"
	for _, tt := range []struct {
		name  string
		add   []string
		want  error
		code  string
		shown string
	}{
		{"denied", []string{"error", "access_denied", "code", ""}, flows.ErrDenied, "access_denied", "Access was not granted"},
		{"refused", []string{"error", "invalid_scope", "error_description", secret, "code", ""}, nil, "invalid_scope", "The sign-in did not work"},
		{"neither code nor error", []string{"code", ""}, nil, "", "The sign-in did not work"},
		{"code with invalid characters", []string{"code", "a\nb"}, nil, "", "The sign-in did not work"},
		{"checklist 32: no error text after a mix-up", []string{"error", "access_denied", "error_description", "from-evil", "iss", "https://evil.test", "code", ""},
			oauth.ErrIssuer, "", "The sign-in did not work"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			var page shownPage
			open, wait := browser(func(link string) { page = visit(t, get(t, redirectURL(t, link, tt.add...))) })
			_, err := (&authcode.Flow{Open: open}).Run(t.Context(), s.request())
			wait()
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || len(s.exchanges()) != 0 {
				t.Fatalf("Run: %v with %d exchanges, want %v", err, len(s.exchanges()), tt.want)
			}
			if tt.want != flows.ErrDenied && errors.Is(err, flows.ErrDenied) {
				t.Errorf("Run: %v must not count as denied", err)
			}
			oe, _ := errors.AsType[*oauth.Error](err)
			if oe == nil && tt.code != "" || oe != nil && oe.Code != tt.code {
				t.Errorf("Run: %v, want code %q", err, tt.code)
			}
			if strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "from-evil") {
				t.Errorf("unsafe error text: %q", err)
			}
			if !strings.Contains(page.body, tt.shown) || strings.Contains(page.body, "alert(1)") || strings.Contains(page.body, "from-evil") {
				t.Errorf("page: %s", page.body)
			}
		})
	}
}

// TestUnrelatedRequests: requests that are not the authorization response change
// nothing.
func TestUnrelatedRequests(t *testing.T) {
	t.Parallel()
	s := newServer()
	open, wait := browser(func(link string) {
		valid := redirectURL(t, link)
		at, err := url.Parse(valid)
		if err != nil {
			t.Error(err)
			return
		}
		other := func(path string) string { return "http://" + at.Host + path }
		for _, tt := range []struct {
			name, method, address, host string
			want                        int
		}{
			{"checklist 26: state of another login", "GET", redirectURL(t, link, "state", "x"), "", 400},
			{"no state", "GET", redirectURL(t, link, "state", ""), "", 400},
			{"state twice", "GET", valid + "&state=x", "", 400},
			{"code twice", "GET", valid + "&code=x", "", 400},
			{"broken query", "GET", valid + "&a=%zz", "", 400},
			{"no query", "GET", other("/callback"), "", 400},
			{"other path", "GET", strings.Replace(valid, "/callback", "/callback/", 1), "", 404},
			{"encoded path", "GET", strings.Replace(valid, "/callback", "/%63allback", 1), "", 404},
			{"favicon", "GET", other("/favicon.ico"), "", 404},
			{"POST", "POST", valid, "", 405},
			{"HEAD", "HEAD", valid, "", 405},
			{"OPTIONS", "OPTIONS", valid, "", 405},
			{"DNS rebinding", "GET", valid, "evil.test:" + at.Port(), 403},
			{"no port", "GET", valid, "127.0.0.1", 403},
			{"other port", "GET", valid, "127.0.0.1:1", 403},
			{"DNS rebinding of the start address", "GET", other("/"), "evil.test:" + at.Port(), 403},
		} {
			r := get(t, tt.address)
			r.Method, r.Host = tt.method, cmp.Or(tt.host, r.Host)
			t.Run(tt.name, func(t *testing.T) {
				if got := visit(t, r); got.status != tt.want || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Location") != "" {
					t.Errorf("HTTP %d, want %d; headers %v", got.status, tt.want, got.header)
				}
			})
		}
		if n := len(s.exchanges()); n != 0 {
			t.Errorf("%d exchanges before the response", n)
		}
		visit(t, get(t, valid))
	})
	_, err := (&authcode.Flow{Open: open}).Run(t.Context(), s.request())
	wait()
	if err != nil || len(s.exchanges()) != 1 {
		t.Fatalf("Run: %v, %d exchanges", err, len(s.exchanges()))
	}
}

func TestShortAddress(t *testing.T) {
	t.Parallel()
	s := newServer()
	links := make(prompt, 1)
	f := &authcode.Flow{Prompt: links}
	done := make(chan error, 1)
	go func() { _, err := f.Run(t.Context(), s.request()); done <- err }()
	link := <-links
	root := "http://127.0.0.1:" + strconv.Itoa(link.Port) + "/"
	if secret, ok := strings.CutPrefix(link.Local, root); !ok || len(secret) < 26 || strings.Contains(secret, "/") {
		t.Errorf("Local = %q, want a secret path below %s", link.Local, root)
	}
	page := visit(t, get(t, link.Local))
	if page.status != http.StatusFound || page.header.Get("Location") != link.URL || page.body != "" {
		t.Errorf("short address: HTTP %d to %q", page.status, page.header.Get("Location"))
	}
	crossSite := get(t, link.Local)
	crossSite.Header.Set("Sec-Fetch-Site", "cross-site")
	if page := visit(t, crossSite); page.status != http.StatusForbidden || page.header.Get("Location") != "" {
		t.Errorf("from another site: HTTP %d", page.status)
	}
	visit(t, get(t, redirectURL(t, page.header.Get("Location"))))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestStartAddressIsSecret: another user of this machine can connect to the
// listener, but must not learn the state: with it, that user could complete the
// login with another account.
func TestStartAddressIsSecret(t *testing.T) {
	t.Parallel()
	for _, redirect := range []authcode.Redirect{{}, {Path: "/"}, {Path: "/a/b"}, {Host: "localhost", Path: "/"}} {
		s := newServer()
		links := make(prompt, 1)
		f := &authcode.Flow{Prompt: links, Redirect: redirect}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { _, err := f.Run(ctx, s.request()); done <- err }()
		link := <-links
		u, err := url.Parse(link.URL)
		if err != nil {
			t.Fatal(err)
		}
		root := link.Local[:strings.LastIndexByte(link.Local, '/')+1]
		secret := strings.TrimPrefix(link.Local, root)
		for _, path := range []string{"", "?", "?x=1", "callback", "start", "favicon.ico", secret[:25], secret + "x", secret + "/", "./", "%2e", strings.ToLower(secret)} {
			page := visit(t, get(t, root+path))
			if page.status < 400 || page.header.Get("Location") != "" || strings.Contains(page.body, u.Query().Get("state")) || strings.Contains(page.body, secret) {
				t.Errorf("%+v: /%s responds with HTTP %d, Location %q", redirect, path, page.status, page.header.Get("Location"))
			}
		}
		if page := visit(t, get(t, link.Local)); page.header.Get("Location") != link.URL {
			t.Errorf("the start address responds with HTTP %d", page.status)
		}
		cancel()
		<-done
	}
}

func TestReplayIsRejected(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.began, s.delay = make(chan struct{}), make(chan struct{})
	open, wait := browser(func(link string) {
		var first sync.WaitGroup
		first.Go(func() {
			if page := visit(t, get(t, redirectURL(t, link))); page.status != http.StatusOK {
				t.Errorf("the first request: HTTP %d", page.status)
			}
		})
		<-s.began
		for _, code := range []string{"code-12345", "code-other"} {
			if page := visit(t, get(t, redirectURL(t, link, "code", code))); page.status != http.StatusGone || !strings.Contains(page.body, "This sign-in has ended") {
				t.Errorf("replay: HTTP %d", page.status)
			}
		}
		close(s.delay)
		first.Wait()
	})
	_, err := (&authcode.Flow{Open: open}).Run(t.Context(), s.request())
	wait()
	if err != nil || len(s.exchanges()) != 1 {
		t.Fatalf("Run: %v, %d exchanges", err, len(s.exchanges()))
	}
}

func TestReservedParams(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"state", "redirect_uri", "client_id", "resource", "scope", "code_challenge", "response_mode", "request_uri"} {
		s := newServer()
		r := s.request()
		r.Params = url.Values{name: {"x"}}
		_, err := (&authcode.Flow{}).Run(t.Context(), r)
		if e, ok := errors.AsType[*authcode.ParamError](err); !ok || e.Name != name {
			t.Errorf("%s: %v", name, err)
		}
		s.meta.AuthorizationEndpoint = issuer + "/authorize?" + name + "=x"
		if _, err := (&authcode.Flow{}).Run(t.Context(), s.request()); !errors.Is(err, flows.ErrUnsupported) {
			t.Errorf("endpoint with %s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	valid := newServer().meta
	with := func(change func(*oauth.Server)) oauth.Server { s := valid; change(&s); return s }
	remote := authcode.Redirect{URL: "https://relay.test/cb"}
	paste := func(context.Context, error) (string, error) { return "", io.EOF }
	for _, tt := range []struct {
		name   string
		flow   *authcode.Flow
		server oauth.Server
		want   error
	}{
		{"good", &authcode.Flow{}, valid, nil},
		{"no authorization endpoint", &authcode.Flow{}, with(func(s *oauth.Server) { s.AuthorizationEndpoint = "" }), flows.ErrUnsupported},
		{"no token endpoint", &authcode.Flow{}, with(func(s *oauth.Server) { s.TokenEndpoint = "" }), flows.ErrUnsupported},
		{"no code grant", &authcode.Flow{}, with(func(s *oauth.Server) { s.GrantTypes = []string{"client_credentials"} }), flows.ErrUnsupported},
		{"checklist 25: no PKCE", &authcode.Flow{}, with(func(s *oauth.Server) { s.CodeChallengeMethods = nil }), flows.ErrUnsupported},
		{"no PKCE, assumed", &authcode.Flow{AssumePKCE: true}, with(func(s *oauth.Server) { s.CodeChallengeMethods = nil }), nil},
		{"checklist 24: only plain PKCE", &authcode.Flow{AssumePKCE: true}, with(func(s *oauth.Server) { s.CodeChallengeMethods = []string{"plain"} }), flows.ErrUnsupported},
		{"remote redirect without paste", &authcode.Flow{Redirect: remote}, valid, flows.ErrUnsupported},
		{"remote redirect with paste", &authcode.Flow{Redirect: remote, Paste: paste}, valid, nil},
		{"checklist 27: plain http to another host", &authcode.Flow{Redirect: authcode.Redirect{URL: "http://relay.test/cb"}, Paste: paste}, valid, authcode.ErrRedirect},
		{"listen on all addresses", &authcode.Flow{Redirect: authcode.Redirect{Host: "0.0.0.0"}}, valid, authcode.ErrRedirect},
		{"listen on a host name", &authcode.Flow{Redirect: authcode.Redirect{Host: "box.test"}}, valid, authcode.ErrRedirect},
		{"invalid port", &authcode.Flow{Redirect: authcode.Redirect{Port: 70000}}, valid, authcode.ErrRedirect},
		{"path without slash", &authcode.Flow{Redirect: authcode.Redirect{Path: "@evil.test/"}}, valid, authcode.ErrRedirect},
		{"path with a query", &authcode.Flow{Redirect: authcode.Redirect{Path: "/cb?state=x"}}, valid, authcode.ErrRedirect},
		{"fragment", &authcode.Flow{Redirect: authcode.Redirect{Path: "/cb#x"}}, valid, authcode.ErrRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.flow.Check(tt.server); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("Check = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestFirstAnswerWins: the browser and a paste respond at the same time.
func TestFirstAnswerWins(t *testing.T) {
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			s := newServer()
			shown := make(chan string, 2)
			open, wait := browser(func(link string) {
				shown <- link
				r := get(t, redirectURL(t, link))
				if resp, err := http.DefaultTransport.RoundTrip(r); err == nil { // the listener may have stopped already
					resp.Body.Close()
				}
			})
			f := &authcode.Flow{Open: open, Paste: func(ctx context.Context, rejected error) (string, error) {
				if rejected != nil {
					<-ctx.Done()
					return "", ctx.Err()
				}
				return redirectURL(t, <-shown), nil
			}}
			_, err := f.Run(t.Context(), s.request())
			wait()
			if err != nil || len(s.exchanges()) != 1 {
				t.Errorf("Run: %v, %d exchanges, want 1", err, len(s.exchanges()))
			}
		})
	}
	wg.Wait()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	await.True(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestWaitTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &authcode.Flow{
			Redirect: authcode.Redirect{URL: "https://relay.test/cb"}, // no socket in the bubble
			Paste:    func(ctx context.Context, _ error) (string, error) { <-ctx.Done(); return "", ctx.Err() },
		}
		start := time.Now()
		_, err := f.Run(t.Context(), newServer().request())
		if took := time.Since(start); !errors.Is(err, flows.ErrExpired) || took != 10*time.Minute {
			t.Errorf("Run: %v after %s", err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := f.Run(ctx, newServer().request()); !errors.Is(err, flows.ErrExpired) {
			t.Errorf("the caller's deadline: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := f.Run(ctx, newServer().request()); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
	})
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	s := newServer()
	links := make(prompt, 1)
	f := &authcode.Flow{Prompt: links, Open: func(context.Context, string) error { return errors.New("no display") }}
	done := make(chan error, 1)
	go func() { _, err := f.Run(t.Context(), s.request()); done <- err }()
	link := <-links
	if link.Opened || link.OpenErr == nil || link.Issuer != issuer || link.Server != "https://mcp.test/mcp" || link.Paste {
		t.Errorf("Link = %+v", link)
	}
	visit(t, get(t, redirectURL(t, link.URL)))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestRequiredBrowserFallsBack: if a browser is required but cannot be opened, the
// next flow runs.
func TestRequiredBrowserFallsBack(t *testing.T) {
	t.Parallel()
	links := make(prompt, 1)
	f := &authcode.Flow{Prompt: links, Open: func(context.Context, string) error { return fmt.Errorf("no display: %w", flows.ErrUnsupported) }}
	if _, err := f.Run(t.Context(), newServer().request()); !errors.Is(err, flows.ErrUnsupported) || !strings.Contains(err.Error(), "no display") {
		t.Errorf("Run = %v", err)
	}
	if len(links) > 0 {
		t.Error("a link was shown")
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
