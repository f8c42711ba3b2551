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

// A pair of issuers that a person accepts is accepted, and no other one.
func TestAcceptIssuer(t *testing.T) {
	quirk := func(name string) oauthtest.Quirk {
		for _, q := range oauthtest.Quirks() {
			if q.Name == name {
				return q
			}
		}
		t.Fatalf("there is no quirk %q", name)
		return oauthtest.Quirk{}
	}
	const listed, published = "https://mcp.test/", "https://mcp.test"
	for _, tt := range []struct {
		name string
		pair mcplogin.IssuerPair
		want error
	}{
		{"this pair", mcplogin.IssuerPair{Listed: listed, Published: published}, nil},
		{"none", mcplogin.IssuerPair{}, oauth.ErrIssuer},
		{"another listed one", mcplogin.IssuerPair{Listed: "https://other.test/", Published: published}, oauth.ErrIssuer},
		{"another published one", mcplogin.IssuerPair{Listed: listed, Published: "https://other.test"}, oauth.ErrIssuer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.srv.With(quirk("issuer-with-a-slash"))
				s := w.open(t, func(a *asking) { a.Options.AcceptIssuer = tt.pair })
				if _, err := s.Login(t.Context()); !errors.Is(err, tt.want) {
					t.Fatalf("error = %v, want %v", err, tt.want)
				}
				if tt.want != nil {
					return
				}
				again, err := w.open(t).Login(t.Context()) // the stored options hold
				if err != nil || again.Issuer.Issuer != published || again.Status(0).Accepts != listed+"="+published {
					t.Errorf("the next login: %v, issuer %q, accepted %q", err, again.Issuer.Issuer, again.Status(0).Accepts)
				}
			})
		})
	}
}

// An issuer that a person names is read where the MCP server publishes nothing
// that can be used.
func TestIssuerAloneIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.srv.Fault(oauthtest.Protected, oauthtest.Fault{Times: -1, Status: 404})
		s := w.open(t, func(a *asking) { a.Options.Issuer = "https://as.test" })
		c, err := s.Login(t.Context())
		if err != nil || c.Issuer.Issuer != "https://as.test" || c.Resource != server {
			t.Errorf("issuer %q, resource %q, error %v", c.Issuer.Issuer, c.Resource, err)
		}
	})
}

// A server that promises iss and leaves it out is accepted if a person says so,
// and only for that issuer.
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
			t.Errorf("status says %q", c.Status(0).MissingIss)
		}
		if _, err := login(mcplogin.LoginOptions{}); allowed != (err == nil) {
			t.Errorf("the next login after accepting %q: %v", issuer, err)
		}
	}
}

// visit is a browser on this machine: it asks the server, and goes where that
// sends it.
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
		if resp, err := http.DefaultClient.Do(back); err == nil { // the login says how it went
			resp.Body.Close()
		}
	}()
	return nil
}

// A server that is open until a call can be signed in to by the issuer.
func TestIssuerOfAnOpenServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.srv.Fault(oauthtest.Protected, oauthtest.Fault{Times: -1, Status: 404})
		w.srv.Fault(oauthtest.MCP, oauthtest.Fault{Status: 200, Body: "{}", Header: http.Header{"Content-Type": {"application/json"}}})
		s := w.open(t, func(a *asking) { a.Options.Issuer = "https://as.test" })
		if c, err := s.Login(t.Context()); err != nil || c.Resource != server {
			t.Errorf("resource %q, error %v", c.Resource, err)
		}
	})
}
