package mcplogin_test

import (
	"errors"
	"testing"
	"testing/synctest"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
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
