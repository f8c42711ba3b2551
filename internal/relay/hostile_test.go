package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/relay"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// scene is a client, a relay and an authorization server in memory. The client's
// requests to the relay pass through tamper.
type scene struct {
	t      *testing.T
	relay  *fixture
	srv    *oauthtest.Server
	meta   oauth.Server
	shown  chan authcode.RelayCode
	tamper func(req *http.Request, resp *http.Response) *http.Response
	flow   *authcode.Relay
	app    oauth.App
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, relay: newRelay(t, nil), srv: &oauthtest.Server{}, shown: make(chan authcode.RelayCode, 8)}
	var err error
	if s.meta, err = oauth.FetchServer(t.Context(), s.srv.Client(), "https://as.test"); err != nil {
		t.Fatal(err)
	}
	s.flow = &authcode.Relay{
		URL: base, Token: clientToken(token), HTTP: &http.Client{Transport: s}, Label: "box",
		Show: func(_ context.Context, c authcode.RelayCode) { s.shown <- c },
	}
	want, err := s.flow.Metadata()
	if err == nil {
		s.app, err = oauth.Register(t.Context(), s.srv.Client(), s.meta, want, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// RoundTrip sends a request of the client to the relay.
func (s *scene) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.relay.RoundTrip(req)
	if err == nil && s.tamper != nil {
		resp = s.tamper(req, resp)
	}
	if resp == nil {
		return nil, errors.New("connection refused")
	}
	return resp, err
}

// start starts the login in a goroutine.
func (s *scene) start() (ended chan error, token *oauth.Token) {
	ended, token = make(chan error, 1), new(oauth.Token)
	go func() {
		var err error
		*token, err = s.flow.Run(s.t.Context(), flows.Request{
			Client: &oauth.Client{HTTP: s.srv.Client(), Server: s.meta, App: s.app}, Server: "https://as.test/mcp", Resource: "https://as.test/mcp",
		})
		ended <- err
	}()
	return ended, token
}

// approve opens a link in a browser and returns the URL to which the authorization
// server redirects it.
func (s *scene) approve(b *http.Client, link string) string {
	s.t.Helper()
	on := s.relay.post(b, link, nil)
	to, _ := strings.CutPrefix(on.header.Get("Refresh"), "0; url=")
	req, err := http.NewRequest("GET", to, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.srv.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.Header.Get("Location")
}

// clientToken returns a client token.
func clientToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// replaceBody replaces the relay's responses to a method by a body.
func replaceBody(method, body string) func(*http.Request, *http.Response) *http.Response {
	return func(req *http.Request, resp *http.Response) *http.Response {
		if req.Method == method && strings.HasPrefix(req.URL.Path, "/v1/sessions") {
			resp.StatusCode, resp.Body = http.StatusOK, io.NopCloser(strings.NewReader(body))
		}
		return resp
	}
}

// TestRelayedLogin: the complete flow, with the real relay.
func TestRelayedLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		ended, got := s.start()
		c := <-s.shown
		b := s.relay.browser()
		s.relay.get(b, s.approve(b, c.VerificationURIComplete))
		if err := <-ended; err != nil || got.Access == "" {
			t.Fatalf("Run() = %v", err)
		}
		if page := s.relay.get(b, c.VerificationURIComplete); !strings.Contains(page.text, "Signed in") {
			t.Errorf("the final page: %s", page.text)
		}
	})
}

// TestLeakyRelay: an attacker with the code from the relay cannot exchange it, and
// the relay receives no verifier, client secret or token.
func TestLeakyRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		var received bytes.Buffer
		var stolen string
		s.tamper = func(req *http.Request, resp *http.Response) *http.Response {
			if req.GetBody != nil {
				body, _ := req.GetBody()
				_, _ = io.Copy(&received, body)
			}
			_ = req.Write(&received)
			if req.Method == "GET" && resp.StatusCode == http.StatusOK && stolen == "" {
				body, _ := io.ReadAll(resp.Body)
				received.Write(body)
				resp.Body = io.NopCloser(bytes.NewReader(body))
				_, after, _ := strings.Cut(string(body), "code=")
				stolen, _, _ = strings.Cut(after, `\u0026`)
				attacker := &oauth.Client{HTTP: s.srv.Client(), Server: s.meta, App: s.app}
				if _, err := attacker.Token(req.Context(), url.Values{
					"grant_type": {"authorization_code"}, "code": {stolen}, "redirect_uri": {base + "/callback"},
					"code_verifier": {strings.Repeat("a", 43)}, "resource": {"https://as.test/mcp"},
				}); err == nil {
					t.Error("the attacker got a token")
				}
			}
			return resp
		}
		ended, got := s.start()
		c := <-s.shown
		b := s.relay.browser()
		s.relay.get(b, s.approve(b, c.VerificationURIComplete))
		if err := <-ended; err != nil || stolen == "" {
			t.Fatalf("Run() = %v, stolen %q", err, stolen)
		}
		for _, secret := range append(s.srv.Issued(), got.Access) {
			if !strings.HasPrefix(secret, "code") && secret != stolen && strings.Contains(received.String(), secret) {
				t.Error("the relay received a token")
			}
		}
		if strings.Contains(received.String(), "verifier") {
			t.Error("the relay received a verifier")
		}
	})
}

// TestHostileRelay: the responses of a hostile relay can only make a sign-in fail.
func TestHostileRelay(t *testing.T) {
	other := "another-state-altogether"
	for name, tt := range map[string]struct {
		query string // STATE is replaced by the state of the login
		want  error
	}{
		"foreign code":     {"code=foreign&iss=https://as.test&state=STATE", nil},
		"swapped session":  {"code=x&iss=https://as.test&state=" + other, nil},
		"no state":         {"code=x&iss=https://as.test", nil},
		"two states":       {"code=x&iss=https://as.test&state=STATE&state=" + other, nil},
		"wrong iss":        {"code=x&iss=https://evil.test&state=STATE", oauth.ErrIssuer},
		"no iss":           {"code=x&state=STATE", oauth.ErrIssuer},
		"denial":           {"error=access_denied&iss=https://as.test&state=STATE", flows.ErrDenied},
		"neither":          {"iss=https://as.test&state=STATE", nil},
		"not a query":      {"%zz", nil},
		"control sequence": {"error=%1b%5b2J&iss=https://as.test&state=STATE", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				var state string
				s.tamper = func(req *http.Request, resp *http.Response) *http.Response {
					if req.Method == "POST" {
						body, _ := req.GetBody()
						text, _ := io.ReadAll(body)
						_, after, _ := strings.Cut(string(text), "state=")
						state, _, _ = strings.Cut(strings.ReplaceAll(after, `"`, `\u0026`), `\u0026`)
						return resp
					}
					return replaceBody("GET", `{"query":"`+strings.ReplaceAll(tt.query, "STATE", state)+`"}`)(req, resp)
				}
				ended, token := s.start()
				<-s.shown
				err := <-ended
				if err == nil || token.Access != "" || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("Run() = %v, want %v", err, tt.want)
				}
				if err != nil && strings.Contains(err.Error(), "\x1b") {
					t.Errorf("%q was printed to the terminal", err)
				}
			})
		})
	}
}

// TestReplayedAnswer: the answer to an earlier login is rejected by the next one.
func TestReplayedAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		var old string
		s.tamper = func(req *http.Request, resp *http.Response) *http.Response {
			if req.Method == "GET" && resp.StatusCode == http.StatusOK {
				body, _ := io.ReadAll(resp.Body)
				old = string(body)
				resp.Body = io.NopCloser(strings.NewReader(old))
			}
			return resp
		}
		ended, _ := s.start()
		c := <-s.shown
		b := s.relay.browser()
		s.relay.get(b, s.approve(b, c.VerificationURIComplete))
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		s.tamper = replaceBody("GET", old)
		ended, token := s.start()
		<-s.shown
		if err := <-ended; err == nil || token.Access != "" {
			t.Error("the sign-in succeeded with a replayed answer")
		}
	})
}

// TestLinkUsedTwice: a second user with the link changes nothing.
func TestLinkUsedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		ended, _ := s.start()
		c := <-s.shown
		first, second := s.relay.browser(), s.relay.browser()
		callbackURL := s.approve(first, c.VerificationURIComplete)
		s.relay.get(first, callbackURL)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if page := s.relay.get(second, c.VerificationURIComplete); page.status != http.StatusConflict {
			t.Errorf("the second user gets %d", page.status)
		}
		if page := s.relay.post(second, c.VerificationURIComplete, url.Values{"code": {c.UserCode}}); page.header.Get("Refresh") != "" {
			t.Error("the second user is redirected")
		}
	})
}

// TestHostileOpening: only a code and a link to the relay itself are shown.
func TestHostileOpening(t *testing.T) {
	valid := `{"id":"i","secret":"s","user_code":"BBBB-BBBB","verification_uri":"` + base + `","verification_uri_complete":"` + base + `/s/BBBB-BBBB","redirect_uri":"` + base + `/callback","expires_in":600,"interval":1}`
	for name, body := range map[string]string{
		"another link":     strings.Replace(valid, base+"/s", "https://evil.test/s", 1),
		"another redirect": strings.Replace(valid, base+"/callback", "https://evil.test/callback", 1),
		"control sequence": strings.Replace(valid, `"BBBB-BBBB"`, `"\u001b[2J"`, 1),
		"no lifetime":      strings.Replace(valid, "600", "0", 1),
		"endless":          strings.Replace(valid, "600", "1e9", 1),
		"no secret":        strings.Replace(valid, `"secret":"s"`, `"secret":""`, 1),
		"not JSON":         "<html>",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.tamper = replaceBody("POST", body)
			ended, _ := s.start()
			if err := <-ended; !errors.Is(err, flows.ErrUnsupported) {
				t.Errorf("Run() = %v, want the next flow", err)
			}
			if len(s.shown) > 0 {
				t.Error("the link was shown")
			}
		})
	}
}

// TestRelayUnavailable: if the relay is unavailable at first, the next flow runs; if it
// becomes unavailable during the wait, the client retries.
func TestRelayUnavailable(t *testing.T) {
	unavailable := func(*http.Request, *http.Response) *http.Response { return nil }
	t.Run("at first", func(t *testing.T) {
		s := newScene(t)
		s.tamper = unavailable
		ended, _ := s.start()
		if err := <-ended; !errors.Is(err, flows.ErrUnsupported) {
			t.Errorf("Run() = %v", err)
		}
	})
	t.Run("rejecting", func(t *testing.T) {
		s := newScene(t)
		s.flow.Token = clientToken("wrong")
		ended, _ := s.start()
		if err := <-ended; !errors.Is(err, flows.ErrUnsupported) || !strings.Contains(err.Error(), "client token") {
			t.Errorf("Run() = %v", err)
		}
	})
	t.Run("during the wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t)
			until := time.Now().Add(30 * time.Second)
			s.tamper = func(req *http.Request, resp *http.Response) *http.Response {
				if req.Method == "GET" && time.Now().Before(until) {
					return nil
				}
				return resp
			}
			ended, _ := s.start()
			c := <-s.shown
			b := s.relay.browser()
			s.relay.get(b, s.approve(b, c.VerificationURIComplete))
			if err := <-ended; err != nil || time.Now().Before(until) {
				t.Errorf("Run() = %v", err)
			}
		})
	})
	t.Run("restarted with sessions in memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t)
			ended, _ := s.start()
			first := <-s.shown
			b := s.relay.browser()
			callbackURL := s.approve(b, first.VerificationURIComplete)
			s.relay.relay.Store(newRelay(t, nil).relay.Load())
			second := <-s.shown // the login continues with a new code
			if second.UserCode == first.UserCode {
				t.Error("the code is the same")
			}
			page := s.relay.get(b, callbackURL) // also for a browser that had already been redirected
			query := strings.SplitN(callbackURL, "?", 2)[1]
			if !strings.Contains(page.text, `name="code"`) {
				t.Errorf("page: %s", page.text)
			}
			s.relay.post(b, base+"/callback", url.Values{"query": {query}, "code": {second.UserCode}})
			if err := <-ended; err != nil {
				t.Errorf("Run() = %v", err)
			}
		})
	})
}

// TestSessionTimeout: the login ends with its session.
func TestSessionTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		ended, _ := s.start()
		if err := <-ended; !errors.Is(err, flows.ErrExpired) {
			t.Errorf("Run() = %v", err)
		}
	})
}

// TestForeignRegistration: a client that was registered without the relay's
// redirect URI is registered again.
func TestForeignRegistration(t *testing.T) {
	s := newScene(t)
	for _, app := range []oauth.App{
		{ID: "c", RedirectURIs: []string{"http://127.0.0.1/callback"}},
		{ID: "https://other.test/client.json"},
	} {
		s.app = app
		ended, _ := s.start()
		if err := <-ended; !errors.Is(err, flows.ErrClient) {
			t.Errorf("%s: %v", app.ID, err)
		}
	}
}

var _ relay.Sessions = (*relay.Memory)(nil)
