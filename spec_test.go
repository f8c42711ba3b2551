package mcplogin_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// The tests here, and in the packages below, name the numbers of
// docs/checklist.md that they prove.

// edit changes one kind of metadata document.
func edit(e oauthtest.Endpoint, change func(doc map[string]any)) func(oauthtest.Endpoint, map[string]any) {
	return func(got oauthtest.Endpoint, doc map[string]any) {
		if got == e {
			change(doc)
		}
	}
}

// two is a world whose MCP server lists two authorization servers, a browsers'
// one first. Each is a server of its own.
func two() (w *world, browsers, devices *oauthtest.Server) {
	w = newWorld()
	w.srv.Edit = edit(oauthtest.Protected, func(doc map[string]any) {
		doc["authorization_servers"] = []string{"https://browsers.test", "https://devices.test"}
	})
	browsers = &oauthtest.Server{Device: oauthtest.Device{Off: true}}
	devices = &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
	return w, browsers, devices
}

// routed sends each host's requests to its server.
func routed(w *world, hosts map[string]*oauthtest.Server) func(*asking) {
	route := roundTripper(func(r *http.Request) (*http.Response, error) {
		if srv := hosts[r.URL.Host]; srv != nil {
			return srv.RoundTrip(r)
		}
		return w.srv.RoundTrip(r)
	})
	return func(c *asking) { c.HTTP = func(string) *http.Client { return &http.Client{Transport: route} } }
}

// Checklist 1, 4 and 5: of the listed authorization servers the one that offers
// the flow is chosen, and nothing of one is shown to another.
func TestServersAreChosenByWhatIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := two()
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices}
		c, err := w.open(t, routed(w, hosts)).Login(t.Context())
		if err != nil || c.Issuer.Issuer != "https://devices.test" {
			t.Fatalf("Login() = %v at %q", err, c.Issuer.Issuer)
		}
		if n := browsers.Count(oauthtest.Register) + browsers.Count(oauthtest.Token); n != 0 {
			t.Errorf("%d requests went to the other server", n)
		}
	})
}

// A server that the caller refuses is asked for nothing, and another is taken.
func TestServersCanBeRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := two()
		browsers.Device = oauthtest.Device{AutoApprove: 1}
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices}
		refuse := func(issuers ...string) func(*asking) {
			return func(c *asking) {
				routed(w, hosts)(c)
				c.Trust.AcceptServer = func(s oauth.Server) error {
					if slices.Contains(issuers, s.Issuer) {
						return fs.ErrPermission
					}
					return nil
				}
			}
		}
		if c, err := w.open(t, refuse("https://browsers.test")).Login(t.Context()); err != nil || c.Issuer.Issuer != "https://devices.test" {
			t.Errorf("Login() = %v at %q", err, c.Issuer.Issuer)
		}
		if _, err := w.open(t, refuse("https://browsers.test", "https://devices.test")).Login(t.Context()); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Login() = %v, want the refusal", err)
		}
		if n := browsers.Count(oauthtest.Register) + browsers.Count(oauthtest.DeviceAuth) + browsers.Count(oauthtest.Token); n != 0 {
			t.Errorf("%d requests went to the refused server", n)
		}
		if n := devices.Count(oauthtest.Token); n != 1 {
			t.Errorf("%d token requests, want 1", n)
		}
	})
}

// Checklist 11, 12, 13 and 15: who we are comes from the first of registration
// by hand, client id metadata document, dynamic registration.
func TestRegistrationPriority(t *testing.T) {
	const document = "https://host.test/client.json"
	const issuer = "https://mcp.test"
	hand := oauth.App{ID: "by-hand", Secret: "hush"}
	for _, tt := range []struct {
		name         string
		registration mcplogin.Registration
		takesURL     bool // the server takes client ID metadata documents
		want         string
		registered   int
	}{
		{"by hand before all", mcplogin.Registration{Issuer: issuer, App: hand, ClientMetadataURL: document}, true, "by-hand", 0},
		{"document where it is taken", mcplogin.Registration{ClientMetadataURL: document}, true, document, 0},
		{"not where it is not", mcplogin.Registration{ClientMetadataURL: document}, false, "", 1},
		{"else registered", mcplogin.Registration{}, true, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.srv.Clients.Known = map[string]string{"by-hand": "hush", document: ""}
				w.srv.Edit = edit(oauthtest.Metadata, func(doc map[string]any) {
					doc["client_id_metadata_document_supported"] = tt.takesURL
				})
				c, err := w.open(t, func(c *asking) { c.Register = tt.registration }).Login(t.Context())
				if err != nil || tt.want != "" && c.App.ID != tt.want {
					t.Errorf("Login() = %v as %q, want %q", err, c.App.ID, tt.want)
				}
				if n := w.srv.Count(oauthtest.Register); n != tt.registered {
					t.Errorf("%d registrations, want %d", n, tt.registered)
				}
			})
		})
	}
}

// Checklist 12: where there is no way to be known, a person is told what to do.
func TestNoRegistrationIsExplained(t *testing.T) {
	w := newWorld()
	w.srv.Clients.NoRegistration = true
	_, err := w.open(t).Login(t.Context())
	if !errors.Is(err, mcplogin.ErrRegistration) || !strings.Contains(err.Error(), "no client ID is set") {
		t.Errorf("Login() = %v, want ErrRegistration", err)
	}
}

// Checklist 16 and 19: a client that was registered at one issuer is not used
// at the next; it registers again.
// Checklist 20: a client registered by hand is refused there.
func TestClientsDoNotMoveBetweenIssuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := two()
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices}
		first, err := w.open(t, routed(w, hosts)).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.srv.Edit = edit(oauthtest.Protected, func(doc map[string]any) {
			doc["authorization_servers"] = []string{"https://moved.test"}
		})
		moved := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
		hosts["moved.test"] = moved
		var changed *mcplogin.IssuerChangedError
		if _, err := w.open(t, routed(w, hosts)).Login(t.Context()); !errors.As(err, &changed) || changed.What != "issuer" {
			t.Fatalf("Login() at another issuer = %v, want *IssuerChangedError", err)
		}
		agree := func(c *asking) { c.Register.AcceptNewIssuer = true }
		second, err := w.open(t, routed(w, hosts), agree).Login(t.Context())
		if err != nil || moved.Count(oauthtest.Register) != 1 || second.App.ID == first.App.ID {
			t.Errorf("after agreeing: %v, %d registrations, client %q after %q", err, moved.Count(oauthtest.Register), second.App.ID, first.App.ID)
		}
	})
}

// Checklist 21, 22 and 39: the challenge's scope, else all that the resource
// publishes, else none; offline_access only where the server lists it.
func TestScopesAskedAtFirst(t *testing.T) {
	for _, tt := range []struct {
		name      string
		challenge string
		published []string
		listed    []string // by the authorization server
		given     []string
		want      []string
	}{
		{"challenge", "mcp:read", []string{"mcp:read", "mcp:write"}, nil, nil, []string{"mcp:read"}},
		{"published", "", []string{"mcp:read", "mcp:write"}, nil, nil, []string{"mcp:read", "mcp:write"}},
		{"none", "", nil, nil, nil, nil},
		{"offline_access", "mcp:read", nil, []string{"offline_access"}, nil, []string{"mcp:read", "offline_access"}},
		{"a person's own", "mcp:read", nil, []string{"offline_access"}, []string{"mcp:write"}, []string{"mcp:write"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.srv.Tokens.Scopes = []string{"mcp:read", "mcp:write", "offline_access"}
				w.srv.Tokens.Required = tt.challenge
				w.srv.Edit = func(e oauthtest.Endpoint, doc map[string]any) {
					switch e {
					case oauthtest.Protected:
						doc["scopes_supported"] = tt.published
					case oauthtest.Metadata:
						doc["scopes_supported"] = tt.listed
					}
				}
				c, err := w.open(t, func(c *asking) { c.Options.Scopes = tt.given }).Login(t.Context())
				if err != nil || !slices.Equal(c.Asked, tt.want) {
					t.Errorf("Login() = %v, asked %q, want %q", err, c.Asked, tt.want)
				}
			})
		})
	}
}

// Checklist 23 and 41: a step-up asks for what was asked before and what the
// challenge names (SEP-2350), and what a later login asks for holds both.
func TestStepUpAsksForTheUnion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.srv.Tokens.Scopes = []string{"mcp:read", "mcp:write"}
		w.srv.Tokens.Required = "mcp:read"
		if _, err := w.open(t).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, more := range [][]string{{"mcp:write"}, nil} {
			c, err := w.open(t).Login(t.Context(), more...)
			if want := []string{"mcp:read", "mcp:write"}; err != nil || !slices.Equal(c.Asked, want) {
				t.Errorf("Login(%q) = %v, asked %q, want %q", more, err, c.Asked, want)
			}
		}
	})
}

// Checklist 36: the token is in the header of every request, never in the URL.
func TestEveryRequestCarriesTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		var r recorder
		transport := w.open(t).Transport(&r)
		for range 3 {
			resp, err := transport.RoundTrip(post(t, server+"?q=1", "body"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		for _, req := range r.requests {
			if !strings.HasPrefix(req.Header.Get("Authorization"), "Bearer ") || req.URL.String() != server+"?q=1" {
				t.Errorf("sent to %s with %d bytes of Authorization", req.URL, len(req.Header.Get("Authorization")))
			}
		}
	})
}

// Checklist 38: nothing of a credential lies on the disk in clear text.
func TestNothingIsStoredInClear(t *testing.T) {
	dir := t.TempDir()
	store, err := file.Open(file.Config{Dir: filepath.Join(dir, "data"), Keeper: file.KeyFile{Dir: filepath.Join(dir, "keys")}})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.store = store
	w.srv.Device.Interval = time.Second
	if _, err := w.open(t).Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range w.srv.Issued() {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Checklist 34: a server without metadata of its own is named by the URL that
// the client reaches it by.
func TestResourceWithoutMetadata(t *testing.T) {
	w := newWorld()
	w.srv.Tokens = oauthtest.Tokens{NoRefresh: true}
	w.srv.Clients.Known = map[string]string{"robot": "hush"}
	w.srv.Fault(oauthtest.Protected, oauthtest.Fault{Times: -1, Status: http.StatusNotFound})
	f := clientcred.ClientCredentials{}
	s := w.open(t, alone(f, oauth.App{ID: "robot", Secret: "hush"}, flows.Inputs{}), func(c *asking) {
		c.Options.Issuer = "https://mcp.test"
		c.Options.Endpoints.Token = "https://mcp.test/token"
	})
	c, err := s.Login(t.Context())
	if err != nil || c.Resource != server {
		t.Errorf("Login() = %v, resource %q, want %q", err, c.Resource, server)
	}
}
