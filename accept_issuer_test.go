package mcplogin_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestAcceptIssuer: accepting a pair of issuers accepts exactly that pair.
func TestAcceptIssuer(t *testing.T) {
	quirk := func(name string) oauthtest.Quirk {
		for _, q := range oauthtest.Quirks() {
			if q.Name == name {
				return q
			}
		}
		t.Fatalf("unknown quirk %q", name)
		return oauthtest.Quirk{}
	}
	const listed, published = "https://mcp.test/", "https://mcp.test"
	for _, tt := range []struct {
		name string
		pair mcplogin.IssuerPair
		want error
	}{
		{"same pair", mcplogin.IssuerPair{Listed: listed, Published: published}, nil},
		{"none", mcplogin.IssuerPair{}, oauth.ErrIssuer},
		{"another listed issuer", mcplogin.IssuerPair{Listed: "https://other.test/", Published: published}, oauth.ErrIssuer},
		{"another published issuer", mcplogin.IssuerPair{Listed: listed, Published: "https://other.test"}, oauth.ErrIssuer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.With(quirk("issuer-with-a-slash"))
				s := w.open(t, func(a *sessionConfig) { a.Options.AcceptIssuer = tt.pair })
				if _, err := s.Login(t.Context()); !errors.Is(err, tt.want) {
					t.Fatalf("error = %v, want %v", err, tt.want)
				}
				if tt.want != nil {
					return
				}
				again, err := w.open(t).Login(t.Context()) // the options are stored
				if err != nil || again.Issuer.Issuer != published || again.Status(0).Accepts != listed+"="+published {
					t.Errorf("second login: %v, issuer %q, accepted %q", err, again.Issuer.Issuer, again.Status(0).Accepts)
				}
			})
		})
	}
}

// TestIssuerWithoutResourceMetadata: an issuer that the user names is used if the
// MCP server publishes no usable metadata.
func TestIssuerWithoutResourceMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Fault(oauthtest.Protected, oauthtest.Fault{Times: -1, Status: 404})
		s := w.open(t, func(a *sessionConfig) { a.Options.Issuer = "https://as.test" })
		c, err := s.Login(t.Context())
		if err != nil || c.Issuer.Issuer != "https://as.test" || c.Resource != server {
			t.Errorf("issuer %q, resource %q, error %v", c.Issuer.Issuer, c.Resource, err)
		}
	})
}

// TestAcceptMissingIss: a server that announces iss and omits it is accepted if the
// user allows that, and only for that issuer.
func TestAcceptMissingIss(t *testing.T) {
	for issuer, allowed := range map[string]bool{"https://mcp.test": true, "https://other.test": false, "": false} {
		srv := (&oauthtest.Server{Consent: oauthtest.Consent{NoIss: true}})
		srv.Edit = func(e oauthtest.Endpoint, doc map[string]any) {
			if e == oauthtest.Metadata {
				doc["authorization_response_iss_parameter_supported"] = true
			}
		}
		var store secrets.Memory
		open := func() *mcplogin.Session {
			s, err := mcplogin.Open(mcplogin.Config{Profile: "p", Server: server, Source: mcplogin.Stored(&store), HTTP: func(string) *http.Client { return srv.Client() }})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		login := func(o mcplogin.LoginOptions) (mcplogin.Credential, error) {
			follow := func(ctx context.Context, url string) error {
				return visit(ctx, srv, url)
			}
			return open().Login(t.Context(), mcplogin.LoginRequest{Options: o, Flows: []flows.Flow{&authcode.Flow{Open: follow}}})
		}
		c, err := login(mcplogin.LoginOptions{AcceptMissingIss: issuer})
		if missing := (*authcode.MissingIssError)(nil); allowed != (err == nil) || !allowed && (!errors.As(err, &missing) || missing.Issuer != "https://mcp.test") {
			t.Errorf("accepted %q: error = %v", issuer, err)
		}
		if allowed && c.Status(0).MissingIss != issuer {
			t.Errorf("the status shows %q", c.Status(0).MissingIss)
		}
		if _, err := login(mcplogin.LoginOptions{}); allowed != (err == nil) {
			t.Errorf("second login after accepting %q: %v", issuer, err)
		}
	}
}

// visit acts as a browser on this machine: it sends the authorization request and
// follows the redirect.
func visit(ctx context.Context, srv *oauthtest.Server, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := srv.RoundTrip(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	back, err := http.NewRequestWithContext(ctx, http.MethodGet, resp.Header.Get("Location"), nil)
	if err != nil {
		return err
	}
	go func() {
		if resp, err := http.DefaultClient.Do(back); err == nil { // the login reports the result
			resp.Body.Close()
		}
	}()
	return nil
}

// TestIssuerOfAnOpenServer: a server that requires no token until a tool is called
// can be signed in to if the issuer is named.
func TestIssuerOfAnOpenServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Fault(oauthtest.Protected, oauthtest.Fault{Times: -1, Status: 404})
		w.srv.Fault(oauthtest.MCP, oauthtest.Fault{Status: 200, Body: "{}", Header: http.Header{"Content-Type": {"application/json"}}})
		s := w.open(t, func(a *sessionConfig) { a.Options.Issuer = "https://as.test" })
		if c, err := s.Login(t.Context()); err != nil || c.Resource != server {
			t.Errorf("resource %q, error %v", c.Resource, err)
		}
	})
}
