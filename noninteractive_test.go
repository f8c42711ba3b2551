package mcplogin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// withFlow sets a session up for one non-interactive flow.
func withFlow(f flows.Flow, app oauth.App, in flows.Inputs) func(*sessionConfig) {
	return func(c *sessionConfig) {
		c.Flows = append(c.Flows, f)
		c.Register.App, c.Register.Issuer = app, "https://mcp.test"
		c.Options = mcplogin.LoginOptions{Flows: []string{f.Name()}, Inputs: in}
	}
}

// otherProcess returns a session like that of another process, which knows the flow but
// not the options of the login.
func (w *fixture) otherProcess(t *testing.T, f flows.Flow) session {
	return w.open(t, func(c *sessionConfig) { c.Flows = []flows.Flow{f} })
}

func TestClientCredentialsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens = oauthtest.Tokens{TTL: 10 * time.Minute, NoRefresh: true}
		w.srv.Clients.Known = map[string]string{"robot": "hush"}
		f := clientcred.ClientCredentials{}
		c, err := w.open(t, withFlow(f, oauth.App{ID: "robot", Secret: "hush"}, flows.Inputs{})).Login(t.Context())
		if err != nil || c.Flow != f.Name() || c.Token.Refresh != "" {
			t.Fatalf("Login() = %v, flow %q", err, c.Flow)
		}
		for range 3 {
			time.Sleep(15 * time.Minute)
			if s := w.otherProcess(t, f); c.Status(0).State != mcplogin.StateLogin || s.Status(c, 0).State != mcplogin.StateRefresh || !s.Status(c, 0).Refreshable {
				t.Errorf("state %q", s.Status(c, 0).State)
			}
			token, err := w.otherProcess(t, f).Token(t.Context())
			if err != nil || !w.works(t, token) {
				t.Fatalf("Token() = %v", err)
			}
		}
		if n := w.srv.Grants(oauth.GrantClientCredentials); n != 4 {
			t.Errorf("%d grants, want 4", n)
		}
		if n := w.srv.Count(oauthtest.DeviceAuth); n != 0 {
			t.Errorf("%d prompts", n)
		}
	})
}

// TestWithdrawnClientCredentials: a client whose secret was changed at the
// server gets an error, and works again after the next login.
func TestWithdrawnClientCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens = oauthtest.Tokens{TTL: 10 * time.Minute, NoRefresh: true}
		w.srv.Clients.Known = map[string]string{"robot": "hush"}
		f := clientcred.ClientCredentials{}
		if _, err := w.open(t, withFlow(f, oauth.App{ID: "robot", Secret: "hush"}, flows.Inputs{})).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.srv.Clients.Known["robot"] = "changed"
		time.Sleep(15 * time.Minute)
		_, err := w.otherProcess(t, f).Token(t.Context())
		if !errors.Is(err, mcplogin.ErrLoginRequired) || !strings.Contains(err.Error(), "rejects the client's credentials") {
			t.Fatalf("Token() = %v, want ErrLoginRequired with the reason", err)
		}
		if _, err := w.open(t, withFlow(f, oauth.App{ID: "robot", Secret: "changed"}, flows.Inputs{})).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.otherProcess(t, f).Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestClientCredentialsNeedCredentials(t *testing.T) {
	w := newFixture()
	w.srv.Clients.Known = map[string]string{"public": ""}
	_, err := w.open(t, withFlow(clientcred.ClientCredentials{}, oauth.App{ID: "public"}, flows.Inputs{})).Login(t.Context())
	if err == nil || w.srv.Count(oauthtest.Token) != 0 {
		t.Errorf("Login() = %v after %d token requests", err, w.srv.Count(oauthtest.Token))
	}
	_, err = w.open(t, withFlow(clientcred.ClientCredentials{}, oauth.App{}, flows.Inputs{})).Login(t.Context())
	if !errors.Is(err, mcplogin.ErrRegistration) {
		t.Errorf("Login() without a client = %v, want ErrRegistration", err)
	}
}

// TestAssertionIsReadAtEachRenewal: an assertion is valid for minutes, so each
// refresh reads a new one.
func TestAssertionIsReadAtEachRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens = oauthtest.Tokens{TTL: 10 * time.Minute, NoRefresh: true}
		var presented []string
		w.srv.Trust.Assertion = func(jwt string) error { presented = append(presented, jwt); return nil }
		w.srv.Clients.Known = map[string]string{"job": ""}
		reads := 0
		f := clientcred.JWTBearer{Read: func(_ context.Context, source string) (string, error) {
			reads++
			return fmt.Sprintf("%s-%d", source, reads), nil
		}}
		if _, err := w.open(t, withFlow(f, oauth.App{ID: "job"}, flows.Inputs{Assertion: "src"})).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Minute)
		if _, err := w.otherProcess(t, f).Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(presented); got != "[src-1 src-2]" {
			t.Errorf("assertions presented: %s", got)
		}
	})
}

// TestRejectedAssertionIsNotRetried: Extension wif: a rejection is reported, and no
// other grant is tried.
func TestRejectedAssertionIsNotRetried(t *testing.T) {
	w := newFixture()
	w.srv.Trust.Assertion = func(string) error { return errors.New("wrong audience") }
	w.srv.Clients.Known = map[string]string{"job": ""}
	f := clientcred.JWTBearer{Read: func(context.Context, string) (string, error) { return "a.b.c", nil }}
	_, err := w.open(t, withFlow(f, oauth.App{ID: "job"}, flows.Inputs{Assertion: "src"})).Login(t.Context())
	if !oauth.IsCode(err, oauth.CodeInvalidGrant) || w.srv.Count(oauthtest.Token) != 1 {
		t.Errorf("Login() = %v after %d token requests, want invalid_grant after 1", err, w.srv.Count(oauthtest.Token))
	}
}

// TestIDJAG: Extension enterprise-managed-authorization (SEP-990).
func TestIDJAG(t *testing.T) {
	w := newFixture()
	w.srv.Clients.Known = map[string]string{"mcp-client": "hush"}
	w.srv.Trust.Assertion = func(jwt string) error {
		if jwt != "the.id.jag" {
			return errors.New("not from the identity provider")
		}
		return nil
	}
	var request url.Values
	idp := &oauthtest.Server{
		Clients: oauthtest.Clients{Known: map[string]string{"idp-client": "idp-hush"}},
		Trust: oauthtest.Trust{Exchange: func(form url.Values) (string, error) {
			request = form
			return "the.id.jag", nil
		}},
	}
	route := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "idp.test" {
			return idp.RoundTrip(r)
		}
		return w.srv.RoundTrip(r)
	})
	f := clientcred.IDJAG{Read: func(_ context.Context, source string) (string, error) {
		return map[string]string{"id": "id.to.ken", "secret": "idp-hush"}[source], nil
	}}
	in := flows.Inputs{SubjectToken: "id", IDPIssuer: "https://idp.test", IDPClientID: "idp-client", IDPClientSecret: "secret"}
	s := w.open(t, withFlow(f, oauth.App{ID: "mcp-client", Secret: "hush"}, in), func(c *sessionConfig) {
		c.HTTP = func(string) *http.Client { return &http.Client{Transport: route} }
	})
	c, err := s.Login(t.Context())
	if err != nil || !w.works(t, c.Token) {
		t.Fatalf("Login() = %v", err)
	}
	for name, want := range map[string]string{
		"requested_token_type": oauth.TokenTypeIDJAG, "subject_token_type": oauth.TokenTypeIDToken,
		"subject_token": "id.to.ken", "audience": "https://mcp.test", "resource": server,
	} {
		if got := request.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCITokenIsForTheIssuer(t *testing.T) {
	for _, tt := range []struct{ name, audience, want string }{
		{"by default", "", "https://mcp.test"},
		{"as requested", "api://team", "api://team"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newFixture()
			w.srv.Trust.Assertion = func(string) error { return nil }
			w.srv.Clients.Known = map[string]string{"job": ""}
			var got string
			f := clientcred.CI{IDToken: func(_ context.Context, audience string) (string, error) {
				got = audience
				return "a.b.c", nil
			}}
			c, err := w.open(t, withFlow(f, oauth.App{ID: "job"}, flows.Inputs{Audience: tt.audience})).Login(t.Context())
			if err != nil || got != tt.want || !w.works(t, c.Token) {
				t.Errorf("Login() = %v, audience %q, want %q", err, got, tt.want)
			}
		})
	}
}

// TestTokensBoundToAKey: Extensions dpop and dpop-nonce: the key is stored with the
// credential, and every request has a proof by it, also with a server that requires
// a fresh nonce.
func TestTokensBoundToAKey(t *testing.T) {
	for _, nonce := range []bool{false, true} {
		t.Run(fmt.Sprintf("nonce %v", nonce), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.Tokens.TTL = 10 * time.Minute
				w.srv.Proofs = oauthtest.Proofs{Required: true, Nonce: nonce}
				if _, err := w.open(t).Login(t.Context()); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					time.Sleep(15 * time.Minute)
					s := w.open(t)
					resp, err := s.Transport(w.srv).RoundTrip(post(t, server, "body"))
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if resp.StatusCode == http.StatusUnauthorized {
						t.Errorf("a request with a proof was rejected: %v", resp.Header)
					}
					if _, err := s.Headers(t.Context()); !errors.Is(err, mcplogin.ErrBound) {
						t.Errorf("Headers() = %v, want ErrBound", err)
					}
				}
			})
		})
	}
}

// TestLoginKeepsItsOptions: a later login without options uses the same
// options again.
func TestLoginKeepsItsOptions(t *testing.T) {
	w := newFixture()
	w.srv.Tokens.NoRefresh = true
	w.srv.Clients.Known = map[string]string{"robot": "hush"}
	f := clientcred.ClientCredentials{}
	if _, err := w.open(t, withFlow(f, oauth.App{ID: "robot", Secret: "hush"}, flows.Inputs{})).Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := w.open(t, func(c *sessionConfig) { c.Server = ""; c.Flows = append(c.Flows, f) })
	c, err := again.Login(t.Context())
	if err != nil || c.Flow != f.Name() || c.Server != server {
		t.Errorf("second Login() = %v, flow %q, server %q", err, c.Flow, c.Server)
	}
}

// TestStoredRecordRunsOnlyWhatIsPermitted: a refresh, and a login with the options
// of an earlier one, run a flow with the options in the record. The caller must
// permit that first, but not for typed options.
func TestStoredRecordRunsOnlyWhatIsPermitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens = oauthtest.Tokens{TTL: 10 * time.Minute, NoRefresh: true}
		w.srv.Trust.Assertion = func(string) error { return nil }
		w.srv.Clients.Known = map[string]string{"job": ""}
		var reads, requests int
		f := clientcred.JWTBearer{Read: func(context.Context, string) (string, error) { reads++; return "a.b.c", nil }}
		denied := errors.New("not confirmed")
		asks := func(c *sessionConfig) {
			c.Flows = []flows.Flow{f}
			c.Trust.Permit = func(_ context.Context, c mcplogin.Credential) error {
				requests++
				if c.Login.Inputs.Assertion != "src" || c.Issuer.TokenEndpoint != "https://mcp.test/token" || c.Flow != f.Name() {
					t.Errorf("permission requested for %q at %q", c.Login.Inputs, c.Issuer.TokenEndpoint)
				}
				return denied
			}
		}
		if _, err := w.open(t, asks, withFlow(f, oauth.App{ID: "job"}, flows.Inputs{Assertion: "src"})).Login(t.Context()); err != nil || requests != 0 {
			t.Fatalf("Login() = %v, %d permission requests", err, requests)
		}
		time.Sleep(15 * time.Minute)
		if _, err := w.open(t, asks).Token(t.Context()); !errors.Is(err, denied) {
			t.Errorf("Token() = %v", err)
		}
		if _, err := w.open(t, asks).Login(t.Context()); !errors.Is(err, denied) {
			t.Errorf("Login() with the same options = %v", err)
		}
		if reads != 1 || w.srv.Count(oauthtest.Token) != 1 || requests != 2 {
			t.Errorf("%d reads, %d token requests and %d permission requests", reads, w.srv.Count(oauthtest.Token), requests)
		}
		denied = nil
		c, err := w.open(t, asks).Current(t.Context())
		if err != nil || !c.RefreshBegunAt.IsZero() || c.Refused != "" {
			t.Errorf("with permission: %v, %v, %q", err, c.RefreshBegunAt, c.Refused)
		}
	})
}

// TestRecordOfAnotherIssuerIsRejected: a record in a shared store can be
// replaced by one of another authorization server. Its token is not used, and
// nothing is sent to that server.
func TestRecordOfAnotherIssuerIsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		rejection := errors.New("not that one")
		expects := func(c *sessionConfig) {
			c.Trust.AcceptServer = func(s oauth.Server) error {
				if s.Issuer != "https://expected.test" {
					return rejection
				}
				return nil
			}
		}
		for _, state := range []string{"fresh", "due"} {
			s := w.open(t, expects)
			_, tokenErr := s.Token(t.Context())
			_, refreshErr := s.Refresh(t.Context())
			waiting := w.open(t, expects, func(c *sessionConfig) { c.Renewal.MaxWait = time.Second })
			_, waitErr := waiting.Token(t.Context())
			for _, err := range []error{tokenErr, refreshErr, waitErr} {
				if !errors.Is(err, rejection) {
					t.Errorf("%s: %v", state, err)
				}
			}
			time.Sleep(2 * time.Hour)
		}
		if n := w.srv.Grants(grantRefresh); n != 0 {
			t.Errorf("%d refreshes", n)
		}
	})
}
