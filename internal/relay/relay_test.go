package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/internal/relay"
)

const (
	base   = "https://relay.test"
	token  = "team-token"
	server = "https://mcp.test/mcp"
)

// fixture is a relay in memory, with its clients and browsers.
type fixture struct {
	t     *testing.T
	relay atomic.Pointer[relay.Relay] // replaced after a restart
}

func newRelay(t *testing.T, edit func(*relay.Config)) *fixture {
	t.Helper()
	cfg := relay.Config{BaseURL: base, Sessions: &relay.Memory{}, Token: token}
	if edit != nil {
		edit(&cfg)
	}
	r, err := relay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t}
	f.relay.Store(r)
	return f
}

// RoundTrip serves a request in memory.
func (f *fixture) RoundTrip(req *http.Request) (*http.Response, error) {
	got := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), req.Body)
	got.Header = req.Header.Clone()
	got.RemoteAddr = "192.0.2.7:1234"
	w := httptest.NewRecorder()
	f.relay.Load().ServeHTTP(w, got)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

func authURL(state string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"c"}, "redirect_uri": {base + "/callback"}, "state": {state},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	return "https://as.test/authorize?" + q.Encode()
}

const state = "a-state-of-enough-length"

type session struct {
	ID, Secret string
	UserCode   string `json:"user_code"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int    `json:"expires_in"`
}

// call sends a request to the client API.
func (f *fixture) call(method, path, bearer string, body any) (int, map[string]any) {
	f.t.Helper()
	b, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(f.t.Context(), method, base+path, strings.NewReader(string(b)))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, _ := f.RoundTrip(req)
	defer resp.Body.Close()
	var v map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&v) // 204 has no body
	return resp.StatusCode, v
}

func (f *fixture) open(state string) session {
	f.t.Helper()
	status, v := f.call("POST", "/v1/sessions", token, map[string]string{
		"authorization_url": authURL(state), "server": server, "issuer": "https://as.test", "label": "box <b>",
	})
	if status != http.StatusCreated {
		f.t.Fatalf("open: %d %v", status, v)
	}
	b, _ := json.Marshal(v)
	var s session
	if err := json.Unmarshal(b, &s); err != nil {
		f.t.Fatal(err)
	}
	return s
}

// browser keeps cookies and follows no redirects.
func (f *fixture) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Transport: f, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type shown struct {
	status int
	header http.Header
	text   string
}

func (f *fixture) get(c *http.Client, u string) shown {
	f.t.Helper()
	return f.read(c.Get(u))
}

func (f *fixture) post(c *http.Client, u string, form url.Values) shown {
	f.t.Helper()
	return f.read(c.PostForm(u, form))
}

func (f *fixture) read(resp *http.Response, err error) shown {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return shown{resp.StatusCode, resp.Header, string(b)}
}

func (f *fixture) query(s session) string {
	f.t.Helper()
	status, v := f.call("GET", "/v1/sessions/"+s.ID, s.Secret, nil)
	if status == http.StatusOK {
		return v["query"].(string)
	}
	return ""
}

const callback = base + "/callback?code=xyz&iss=https%3A%2F%2Fas.test&state=" + state

// TestSignIn follows one sign-in through every page.
func TestSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRelay(t, nil)
		s := f.open(state)
		b := f.browser()
		first := f.get(b, s.Complete)
		for _, want := range []string{s.UserCode, server, "https://as.test", "box &lt;b&gt;", "as.test"} {
			if !strings.Contains(first.text, want) {
				t.Errorf("the first page lacks %q", want)
			}
		}
		if strings.Contains(first.text, "code_challenge") || first.header.Get("Set-Cookie") != "" {
			t.Error("the first page redirects or sets a cookie by itself")
		}
		on := f.post(b, s.Complete, nil)
		if got := on.header.Get("Refresh"); on.status != 200 || got != "0; url="+authURL(state) {
			t.Errorf("after the button: %d, Refresh %q", on.status, got)
		}
		cookie := on.header.Get("Set-Cookie")
		for _, want := range []string{"__Host-mcp-login-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("cookie %q lacks %q", cookie, want)
			}
		}
		redirected := f.get(b, callback)
		if loc := redirected.header.Get("Location"); redirected.status != http.StatusSeeOther || loc != "/s/"+s.UserCode {
			t.Errorf("callback: %d to %q", redirected.status, loc)
		}
		if got := f.get(b, s.Complete); !strings.Contains(got.text, "Almost done") || got.header.Get("Refresh") == "" {
			t.Errorf("while the client works: %s", got.text)
		}
		for range 2 { // repeatable until the client ends the session
			if got := f.query(s); got != strings.SplitN(callback, "?", 2)[1] {
				t.Errorf("query %q", got)
			}
		}
		if status, _ := f.call("DELETE", "/v1/sessions/"+s.ID+"?outcome=ok", s.Secret, nil); status != http.StatusNoContent {
			t.Errorf("DELETE: %d", status)
		}
		if got := f.get(b, s.Complete); !strings.Contains(got.text, "Signed in") {
			t.Errorf("the final page: %s", got.text)
		}
		if status, _ := f.call("GET", "/v1/sessions/"+s.ID, s.Secret, nil); status != http.StatusGone {
			t.Errorf("after the end: %d", status)
		}
	})
}

// TestSecondCallbackChangesNothing: neither the same browser nor another can
// replace the answer.
func TestSecondCallbackChangesNothing(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	b := f.browser()
	f.post(b, s.Complete, nil)
	f.get(b, callback)
	f.get(b, strings.Replace(callback, "xyz", "evil", 1))
	f.get(f.browser(), strings.Replace(callback, "xyz", "evil", 1))
	f.post(f.browser(), base+"/callback", url.Values{"query": {"code=evil&state=" + state}, "code": {s.UserCode}})
	if got := f.query(s); !strings.Contains(got, "code=xyz") {
		t.Errorf("the answer became %q", got)
	}
	if got := f.get(f.browser(), s.Complete); got.status != http.StatusConflict || !strings.Contains(got.text, "already used") {
		t.Errorf("another browser gets %d", got.status)
	}
	if got := f.get(b, s.Complete); !strings.Contains(got.text, "Almost done") {
		t.Errorf("the browser that signed in gets %s", got.text)
	}
}

// TestTakeOver: a browser without the cookie needs the code from the terminal, and
// has three attempts.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	t.Run("at the callback", func(t *testing.T) {
		f := newRelay(t, nil)
		s := f.open(state)
		f.post(f.browser(), s.Complete, nil)
		other := f.browser()
		page := f.get(other, callback)
		if page.status != 200 || !strings.Contains(page.text, `name="code"`) || f.waiting(s) != true {
			t.Fatalf("without the cookie: %d %s", page.status, page.text)
		}
		query := strings.SplitN(callback, "?", 2)[1]
		if got := f.post(other, base+"/callback", url.Values{"query": {query}, "code": {"BBBB-BBBB"}}); got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
			t.Errorf("a wrong code: %d", got.status)
		}
		if got := f.post(other, base+"/callback", url.Values{"query": {query}, "code": {strings.ToLower(s.UserCode)}}); got.status != http.StatusSeeOther {
			t.Errorf("the right code: %d", got.status)
		}
		if f.query(s) != query {
			t.Error("the answer is missing")
		}
		if got := f.get(other, s.Complete); !strings.Contains(got.text, "Almost done") {
			t.Errorf("the page afterwards: %s", got.text)
		}
	})
	t.Run("before the callback", func(t *testing.T) {
		f := newRelay(t, nil)
		s := f.open(state)
		first, other := f.browser(), f.browser()
		f.post(first, s.Complete, nil)
		if got := f.get(other, s.Complete); !strings.Contains(got.text, "another browser") {
			t.Errorf("the second browser gets %s", got.text)
		}
		if got := f.post(other, s.Complete, nil); got.header.Get("Refresh") != "" {
			t.Error("the second browser continues without the code")
		}
		if got := f.post(other, s.Complete, url.Values{"code": {s.UserCode}}); got.header.Get("Refresh") == "" {
			t.Errorf("with the code: %d", got.status)
		}
		if got := f.get(first, callback); got.status != 200 || !f.waiting(s) {
			t.Errorf("the first browser can still answer: %d", got.status)
		}
	})
	t.Run("three attempts", func(t *testing.T) {
		f := newRelay(t, nil)
		s := f.open(state)
		f.post(f.browser(), s.Complete, nil)
		other := f.browser()
		for range 3 {
			f.post(other, s.Complete, url.Values{"code": {"BBBBBBBB"}})
		}
		if got := f.post(other, s.Complete, url.Values{"code": {s.UserCode}}); got.status != http.StatusForbidden || !strings.Contains(got.text, "Too many") {
			t.Errorf("the right code after three wrong ones: %d", got.status)
		}
	})
}

// waiting reports whether the client has no answer yet.
func (f *fixture) waiting(s session) bool {
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", base+"/v1/sessions/"+s.ID, nil)
	req.Header.Set("Authorization", "Bearer "+s.Secret)
	resp, _ := f.RoundTrip(req)
	return resp.StatusCode == http.StatusNoContent
}

// TestPrefetch: a link preview, a prefetch and a HEAD request change nothing.
func TestPrefetch(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	b := f.browser()
	for range 3 {
		if got := f.get(b, s.Complete); got.header.Get("Set-Cookie") != "" {
			t.Error("GET sets a cookie")
		}
	}
	f.post(b, s.Complete, nil)
	for _, edit := range []func(*http.Request){
		func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch;prerender") },
		func(r *http.Request) { r.Method = http.MethodHead },
	} {
		req, _ := http.NewRequest("GET", callback, nil)
		edit(req)
		f.read(b.Do(req))
	}
	if !f.waiting(s) {
		t.Error("a prefetch finished the sign-in")
	}
}

// TestForeignForm: another site cannot submit the form.
func TestForeignForm(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	for header, value := range map[string]string{"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"} {
		req, _ := http.NewRequest("POST", s.Complete, nil)
		req.Header.Set(header, value)
		if got := f.read(f.browser().Do(req)); got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s: %d", header, value, got.status)
		}
	}
}

// TestHeaders checks the headers of every response of every page.
func TestHeaders(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	for _, u := range []string{base, s.Complete, base + "/s/nobody", callback, base + "/v1/relay", base + "/client.json", base + "/nothing"} {
		h := f.get(f.browser(), u).header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", u, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: policy %q", u, csp)
		}
		for name, want := range map[string]string{"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s = %q", u, name, h.Get(name))
			}
		}
	}
}

// TestRejectedAuthorizationURLs: the relay redirects only to an authorization
// request with PKCE whose redirect URI is the relay.
func TestRejectedAuthorizationURLs(t *testing.T) {
	f := newRelay(t, func(c *relay.Config) { c.AllowIssuers = []string{"as.test"} })
	set := func(name, value string) string {
		u, _ := url.Parse(authURL(state))
		q := u.Query()
		q.Del(name)
		if value != "" {
			q.Set(name, value)
		}
		u.RawQuery = q.Encode()
		return u.String()
	}
	valid := authURL(state)
	for name, raw := range map[string]string{
		"http":              strings.Replace(valid, "https://as.test", "http://as.test", 1),
		"http on loopback":  strings.Replace(valid, "https://as.test", "http://127.0.0.1", 1),
		"javascript":        "javascript:alert(1)",
		"userinfo":          strings.Replace(valid, "https://", "https://user@", 1),
		"another issuer":    strings.Replace(valid, "as.test", "evil.test", 1),
		"subdomain":         strings.Replace(valid, "as.test", "as.test.evil.test", 1),
		"line break":        valid + "\r\nX: y",
		"fragment":          valid + "#x",
		"other redirect":    set("redirect_uri", "https://evil.test/callback"),
		"no state":          set("state", ""),
		"short state":       set("state", "x"),
		"no challenge":      set("code_challenge", ""),
		"plain challenge":   set("code_challenge_method", "plain"),
		"no method":         set("code_challenge_method", ""),
		"request object":    set("request_uri", "https://evil.test/r"),
		"response mode":     set("response_mode", "fragment"),
		"implicit":          set("response_type", "token"),
		"two redirect URIs": valid + "&redirect_uri=https://evil.test",
		"too long":          valid + "&x=" + strings.Repeat("x", 8<<10),
	} {
		if status, v := f.call("POST", "/v1/sessions", token, map[string]string{"authorization_url": raw}); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %v", name, status, v)
		}
	}
	if status, _ := f.call("POST", "/v1/sessions", token, map[string]string{"authorization_url": valid}); status != http.StatusCreated {
		t.Errorf("the valid URL: %d", status)
	}
}

// TestSecrets: only clients with a token open sessions, and only their owner reads
// them.
func TestSecrets(t *testing.T) {
	f := newRelay(t, nil)
	for _, wrong := range []string{"", "other"} {
		if status, _ := f.call("POST", "/v1/sessions", wrong, map[string]string{"authorization_url": authURL(state)}); status != http.StatusUnauthorized {
			t.Errorf("client token %q: %d", wrong, status)
		}
	}
	s := f.open(state)
	b := f.browser()
	f.post(b, s.Complete, nil)
	f.get(b, callback)
	for _, method := range []string{"GET", "DELETE"} {
		if status, v := f.call(method, "/v1/sessions/"+s.ID+"?outcome=ok", "wrong", nil); status != http.StatusUnauthorized || v["query"] != nil {
			t.Errorf("%s with another secret: %d %v", method, status, v)
		}
	}
	if _, err := relay.New(relay.Config{BaseURL: base, Sessions: &relay.Memory{}}); err == nil {
		t.Error("a relay without a client token starts")
	}
	if status, _ := newRelay(t, func(c *relay.Config) { c.Token, c.Public = "", true }).call("POST", "/v1/sessions", "", map[string]string{"authorization_url": authURL(state)}); status != http.StatusCreated {
		t.Errorf("public: %d", status)
	}
}

// TestExpiry: everything expires with the session.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRelay(t, nil)
		s := f.open(state)
		b := f.browser()
		f.post(b, s.Complete, nil)
		time.Sleep(time.Duration(s.ExpiresIn) * time.Second)
		if got := f.get(b, s.Complete); got.status != http.StatusGone {
			t.Errorf("page: %d", got.status)
		}
		if got := f.get(b, callback); got.status != http.StatusBadRequest {
			t.Errorf("callback: %d", got.status)
		}
		if status, v := f.call("GET", "/v1/sessions/"+s.ID, s.Secret, nil); status != http.StatusGone || v["error"] != "expired" {
			t.Errorf("client: %d %v", status, v)
		}
	})
}

// TestLongPoll: a request is held, and returns early with the answer or when the
// relay drains.
func TestLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRelay(t, nil)
		s := f.open(state)
		start := time.Now()
		if status, _ := f.call("GET", "/v1/sessions/"+s.ID, s.Secret, nil); status != http.StatusNoContent || time.Since(start) != 25*time.Second {
			t.Errorf("%d after %v", status, time.Since(start))
		}
		b := f.browser()
		f.post(b, s.Complete, nil)
		start = time.Now()
		go func() { time.Sleep(time.Second); f.get(b, callback) }()
		if got := f.query(s); got == "" || time.Since(start) != time.Second {
			t.Errorf("%q after %v", got, time.Since(start))
		}
		next := f.open(state + "2")
		start = time.Now()
		go func() { time.Sleep(time.Second); f.relay.Load().Drain() }()
		if status, _ := f.call("GET", "/v1/sessions/"+next.ID, next.Secret, nil); status != http.StatusNoContent || time.Since(start) != time.Second {
			t.Errorf("draining: %d after %v", status, time.Since(start))
		}
		if got := f.get(f.browser(), base+"/readyz"); got.status != http.StatusServiceUnavailable {
			t.Errorf("readyz while draining: %d", got.status)
		}
	})
}

// TestLimits: an address can use only its own share, and guess few codes.
func TestLimits(t *testing.T) {
	f := newRelay(t, func(c *relay.Config) {
		c.Limits = relay.Limits{SessionsPerAddress: 2}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	open := func(forwarded, state string) int {
		req, _ := http.NewRequest("POST", base+"/v1/sessions", strings.NewReader(`{"authorization_url":"`+authURL(state)+`"}`))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("X-Forwarded-For", forwarded)
		resp, _ := f.RoundTrip(req)
		return resp.StatusCode
	}
	for i, tt := range []struct {
		forwarded string
		want      int
	}{
		{"203.0.113.1", 201}, {"203.0.113.1", 201}, {"203.0.113.1", 429},
		{"198.51.100.9, 203.0.113.1", 429}, // a value sent by the client does not count
		{"203.0.113.2", 201},
		{"2001:db8::1", 201}, {"2001:db8::2", 201}, {"2001:db8::3", 429},
	} {
		if got := open(tt.forwarded, state+strings.Repeat("x", i)); got != tt.want {
			t.Errorf("%d %s: %d, want %d", i, tt.forwarded, got, tt.want)
		}
	}
	f = newRelay(t, nil)
	s := f.open(state)
	for range 20 {
		f.get(f.browser(), base+"/s/BBBB-BBBB")
	}
	if got := f.get(f.browser(), s.Complete); got.status != http.StatusTooManyRequests {
		t.Errorf("after 20 guesses: %d", got.status)
	}
	m := &relay.Memory{Max: 1}
	if err := m.Add(t.Context(), relay.Session{ID: "1", UserCode: "1", StateHash: "1", Expiry: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := m.Add(t.Context(), relay.Session{ID: "2"}); !errors.Is(err, relay.ErrFull) {
		t.Errorf("over the limit: %v", err)
	}
}

// TestTypedCode: a code can be typed at the relay's address.
func TestTypedCode(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	if got := f.get(f.browser(), base+"/"); !strings.Contains(got.text, `name="code"`) {
		t.Errorf("no field: %s", got.text)
	}
	typed := strings.ToLower(strings.ReplaceAll(s.UserCode, "-", " "))
	if got := f.get(f.browser(), base+"/s?code="+url.QueryEscape(typed)); got.header.Get("Location") != "/s/"+s.UserCode {
		t.Errorf("%d to %q", got.status, got.header.Get("Location"))
	}
	if got := f.get(f.browser(), base+"/s?code=//evil.test"); got.status != http.StatusOK {
		t.Errorf("no code: %d to %q", got.status, got.header.Get("Location"))
	}
}

// TestDenied: an error response is passed on, and shown as a fixed text.
func TestDenied(t *testing.T) {
	f := newRelay(t, nil)
	s := f.open(state)
	b := f.browser()
	f.post(b, s.Complete, nil)
	f.get(b, base+"/callback?error=access_denied&error_description=SERVER+WORDS&state="+state)
	if got := f.query(s); !strings.Contains(got, "error=access_denied") {
		t.Errorf("query %q", got)
	}
	f.call("DELETE", "/v1/sessions/"+s.ID+"?outcome=denied", s.Secret, nil)
	if got := f.get(b, s.Complete); !strings.Contains(got.text, "not granted") || strings.Contains(got.text, "SERVER WORDS") {
		t.Errorf("page: %s", got.text)
	}
}
