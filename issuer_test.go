package mcplogin_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestSecretsNeedANamedIssuer: a secret is not sent to an authorization
// server that only the MCP server names.
func TestSecretsNeedANamedIssuer(t *testing.T) {
	const issuer = "https://mcp.test"
	key, err := oauth.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	read := func(context.Context, string) (string, error) { return "a.b.c", nil }
	job := clientcred.CI{IDToken: func(context.Context, string) (string, error) { return "a.b.c", nil }}
	nonInteractive := func(f flows.Flow, in flows.Inputs) func(*sessionConfig) {
		return func(c *sessionConfig) {
			c.Flows, c.Options = []flows.Flow{f}, mcplogin.LoginOptions{Flows: []string{f.Name()}, Inputs: in}
		}
	}
	for _, tt := range []struct {
		name   string
		set    func(*sessionConfig)
		secret string // "": no secret is withheld
	}{
		{"no secret", func(c *sessionConfig) { c.Register.App = oauth.App{ID: "public"} }, ""},
		{"client secret", func(c *sessionConfig) { c.Register.App = oauth.App{ID: "robot", Secret: "hush"} }, "the client secret"},
		{"client key", func(c *sessionConfig) { c.Register.App = oauth.App{ID: "robot", Key: key} }, "a JWT signed with the client key"},
		{"initial access token", func(c *sessionConfig) { c.Register.InitialAccessToken = "iat" }, "the initial access token"},
		{"assertion", nonInteractive(clientcred.JWTBearer{Read: read}, flows.Inputs{Assertion: "src"}), "the assertion"},
		{"subject token", nonInteractive(clientcred.TokenExchange{Read: read}, flows.Inputs{SubjectToken: "src"}), "the subject token"},
		{"ID token for another audience", nonInteractive(job, flows.Inputs{Audience: "sts.amazonaws.com"}), "an ID token for sts.amazonaws.com"},
		{"ID token for the issuer", nonInteractive(job, flows.Inputs{}), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, name := range []struct {
					description string
					set         func(*sessionConfig)
				}{
					{"not named", func(*sessionConfig) {}},
					{"another issuer named", func(c *sessionConfig) { c.Register.Issuer = "https://as.test" }},
					{"named for the secrets", func(c *sessionConfig) { c.Register.Issuer = issuer }},
					{"named for the login", func(c *sessionConfig) { c.Options.Issuer = issuer }},
				} {
					w := newFixture()
					w.srv.Trust = oauthtest.Trust{
						Assertion: func(string) error { return nil },
						Exchange:  func(url.Values) (string, error) { return "token", nil },
					}
					_, err := w.open(t, tt.set, name.set).Login(t.Context())
					sent := w.srv.Count(oauthtest.Register) + w.srv.Count(oauthtest.Token) + w.srv.Count(oauthtest.DeviceAuth)
					var unnamed *mcplogin.UnnamedIssuerError
					withheld := errors.As(err, &unnamed)
					if want := tt.secret != "" && !strings.HasPrefix(name.description, "named"); withheld != want {
						t.Errorf("%s: Login() = %v, withheld %v, want %v", name.description, err, withheld, want)
					}
					if withheld && (sent > 0 || unnamed.Secret != tt.secret || unnamed.Issuer != issuer || unnamed.Server != server) {
						t.Errorf("%s: %v after %d requests, want %q", name.description, unnamed, sent, tt.secret)
					}
				}
			})
		})
	}
}

// TestIssuerOfTheLastLoginNeedsNoName: an issuer is named once: the stored login
// confirms it, but no other issuer.
func TestIssuerOfTheLastLoginNeedsNoName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := twoServers()
		devices.Clients.Known = map[string]string{"robot": "hush"}
		moved := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}, Clients: devices.Clients}
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices, "moved.test": moved}
		robot := func(c *sessionConfig) { c.Register.App = oauth.App{ID: "robot", Secret: "hush"} }
		first := func(c *sessionConfig) { c.Register.Issuer = "https://devices.test" }
		if _, err := w.open(t, routed(w, hosts), robot, first).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.open(t, routed(w, hosts), robot).Login(t.Context()); err != nil {
			t.Errorf("second Login() = %v", err)
		}
		w.srv.Edit = editMetadata(oauthtest.Protected, func(doc map[string]any) {
			doc["authorization_servers"] = []string{"https://moved.test"}
		})
		acceptIssuer := func(c *sessionConfig) { c.Register.AcceptNewIssuer = true }
		var unnamed *mcplogin.UnnamedIssuerError
		if _, err := w.open(t, routed(w, hosts), robot, acceptIssuer).Login(t.Context()); !errors.As(err, &unnamed) || moved.Count(oauthtest.DeviceAuth) != 0 {
			t.Errorf("Login() at a new issuer = %v, after %d requests", err, moved.Count(oauthtest.DeviceAuth))
		}
	})
}

// TestLoopbackIssuerNeedsNoName: between programs on this machine
// the issuer need not be named.
func TestLoopbackIssuerNeedsNoName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Clients.Known = map[string]string{"robot": "hush"}
		robot := func(c *sessionConfig) {
			c.Server, c.Register.App = "http://127.0.0.1:1/mcp", oauth.App{ID: "robot", Secret: "hush"}
			c.HTTP = func(string) *http.Client { return w.srv.Client() }
		}
		if _, err := w.open(t, robot).Login(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestRecordsDoNotChooseWhereSecretsGo: a record in a shared store cannot choose
// where a typed secret is sent: neither the issuer, nor endpoints of a named
// issuer.
func TestRecordsDoNotChooseWhereSecretsGo(t *testing.T) {
	const issuer, attackerIssuer = "https://mcp.test", "https://evil.test"
	robot := func(c *sessionConfig) { c.Register.App = oauth.App{ID: "robot", Secret: "hush"} }
	named := func(c *sessionConfig) { c.Register.Issuer = issuer }
	noURL := func(c *sessionConfig) { c.Server = "" }
	nothing := func(*sessionConfig) {}
	endpoints := mcplogin.Endpoints{Token: attackerIssuer + "/token", DeviceAuthorization: attackerIssuer + "/device"}
	at := func(issuer, host string) oauth.Server {
		return oauth.Server{Issuer: issuer, TokenEndpoint: host + "/token", DeviceAuthorizationEndpoint: host + "/device"}
	}
	for _, tt := range []struct {
		name   string
		record mcplogin.Credential
		call   func(*sessionConfig)
	}{
		{"server and issuer", mcplogin.Credential{Server: attackerIssuer + "/mcp", Issuer: oauth.Server{Issuer: attackerIssuer}}, noURL},
		{"issuer and endpoints", mcplogin.Credential{Issuer: at(attackerIssuer, attackerIssuer), Login: mcplogin.LoginOptions{Issuer: attackerIssuer, Endpoints: endpoints}}, nothing},
		{"endpoints of the named issuer", mcplogin.Credential{Issuer: at(issuer, attackerIssuer), Login: mcplogin.LoginOptions{Issuer: issuer, Endpoints: endpoints}}, named},
		{"endpoints of a loopback issuer", mcplogin.Credential{Server: "http://127.0.0.1:1/mcp", Issuer: at("http://127.0.0.1:1", attackerIssuer),
			Login: mcplogin.LoginOptions{Issuer: "http://127.0.0.1:1", Endpoints: endpoints}}, noURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.Clients.Known = map[string]string{"robot": "hush"}
				attacker := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}, Clients: w.srv.Clients}
				hosts := map[string]*oauthtest.Server{"evil.test": attacker}
				c := tt.record
				c.Version, c.Profile, c.Flow, c.Token = 1, "p", "device", oauth.Token{Access: "planted", Type: "Bearer"}
				c.Server = cmp.Or(c.Server, server)
				data, err := json.Marshal(c)
				if err == nil {
					_, err = w.store.Put(t.Context(), "p", data, secrets.Absent)
				}
				if err != nil {
					t.Fatal(err)
				}
				untrusted := func(c *sessionConfig) { c.Trust.Known = func(mcplogin.Credential) bool { return false } }
				_, err = w.open(t, routed(w, hosts), robot, untrusted, tt.call).Login(t.Context())
				var unnamed *mcplogin.UnnamedIssuerError
				if !errors.As(err, &unnamed) || unnamed.Endpoints != c.Login.Endpoints {
					t.Errorf("Login() = %v", err)
				}
				if n := attacker.Count(oauthtest.DeviceAuth) + attacker.Count(oauthtest.Token) + attacker.Count(oauthtest.Register); n != 0 {
					t.Errorf("%d requests to the record's server", n)
				}
			})
		})
	}
}
