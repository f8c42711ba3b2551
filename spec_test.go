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

// The tests in this file, and in the packages below, cite the numbers of
// docs/checklist.md that they prove.

// editMetadata changes one kind of metadata document.
func editMetadata(e oauthtest.Endpoint, change func(doc map[string]any)) func(oauthtest.Endpoint, map[string]any) {
	return func(got oauthtest.Endpoint, doc map[string]any) {
		if got == e {
			change(doc)
		}
	}
}

// twoServers is a fixture whose MCP server lists two authorization servers, the
// first of which supports only browsers. Each is a separate server.
func twoServers() (w *fixture, browsers, devices *oauthtest.Server) {
	w = newFixture()
	w.srv.Edit = editMetadata(oauthtest.Protected, func(doc map[string]any) {
		doc["authorization_servers"] = []string{"https://browsers.test", "https://devices.test"}
	})
	browsers = &oauthtest.Server{Device: oauthtest.Device{Off: true}}
	devices = &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
	return w, browsers, devices
}

// routed sends requests to the server of their host.
func routed(w *fixture, hosts map[string]*oauthtest.Server) func(*sessionConfig) {
	route := roundTripper(func(r *http.Request) (*http.Response, error) {
		if srv := hosts[r.URL.Host]; srv != nil {
			return srv.RoundTrip(r)
		}
		return w.srv.RoundTrip(r)
	})
	return func(c *sessionConfig) { c.HTTP = func(string) *http.Client { return &http.Client{Transport: route} } }
}

// TestServersAreChosenByFlow: Checklist 1, 4 and 5: the first listed
// authorization server that offers the flow is chosen, and no data of one is sent
// to another.
func TestServersAreChosenByFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := twoServers()
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices}
		c, err := w.open(t, routed(w, hosts)).Login(t.Context())
		if err != nil || c.Issuer.Issuer != "https://devices.test" {
			t.Fatalf("Login() = %v at %q", err, c.Issuer.Issuer)
		}
		if n := browsers.Count(oauthtest.Register) + browsers.Count(oauthtest.Token); n != 0 {
			t.Errorf("%d requests to the other server", n)
		}
	})
}

// TestServersCanBeRejected: an authorization server that the caller rejects receives
// no request, and another is chosen.
func TestServersCanBeRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := twoServers()
		browsers.Device = oauthtest.Device{AutoApprove: 1}
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices}
		reject := func(issuers ...string) func(*sessionConfig) {
			return func(c *sessionConfig) {
				routed(w, hosts)(c)
				c.Trust.AcceptServer = func(s oauth.Server) error {
					if slices.Contains(issuers, s.Issuer) {
						return fs.ErrPermission
					}
					return nil
				}
			}
		}
		if c, err := w.open(t, reject("https://browsers.test")).Login(t.Context()); err != nil || c.Issuer.Issuer != "https://devices.test" {
			t.Errorf("Login() = %v at %q", err, c.Issuer.Issuer)
		}
		if _, err := w.open(t, reject("https://browsers.test", "https://devices.test")).Login(t.Context()); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Login() = %v, want the rejection", err)
		}
		if n := browsers.Count(oauthtest.Register) + browsers.Count(oauthtest.DeviceAuth) + browsers.Count(oauthtest.Token); n != 0 {
			t.Errorf("%d requests to the rejected server", n)
		}
		if n := devices.Count(oauthtest.Token); n != 1 {
			t.Errorf("%d token requests, want 1", n)
		}
	})
}

// TestRegistrationPriority: Checklist 11, 12, 13 and 15: the client comes from the
// first available of: manual registration, client ID metadata document, dynamic
// registration.
func TestRegistrationPriority(t *testing.T) {
	const document = "https://host.test/client.json"
	const issuer = "https://mcp.test"
	manual := oauth.App{ID: "by-hand", Secret: "hush"}
	for _, tt := range []struct {
		name         string
		registration mcplogin.Registration
		takesURL     bool // the server supports client ID metadata documents
		want         string
		registered   int
	}{
		{"manual registration first", mcplogin.Registration{Issuer: issuer, App: manual, ClientMetadataURL: document}, true, "by-hand", 0},
		{"document if supported", mcplogin.Registration{ClientMetadataURL: document}, true, document, 0},
		{"no document if unsupported", mcplogin.Registration{ClientMetadataURL: document}, false, "", 1},
		{"otherwise dynamic registration", mcplogin.Registration{}, true, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.Clients.Known = map[string]string{"by-hand": "hush", document: ""}
				w.srv.Edit = editMetadata(oauthtest.Metadata, func(doc map[string]any) {
					doc["client_id_metadata_document_supported"] = tt.takesURL
				})
				c, err := w.open(t, func(c *sessionConfig) { c.Register = tt.registration }).Login(t.Context())
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

// TestNoRegistrationIsExplained: Checklist 12: if no registration is possible, the
// error says what to do.
func TestNoRegistrationIsExplained(t *testing.T) {
	w := newFixture()
	w.srv.Clients.NoRegistration = true
	_, err := w.open(t).Login(t.Context())
	if !errors.Is(err, mcplogin.ErrRegistration) || !strings.Contains(err.Error(), "no client ID is set") {
		t.Errorf("Login() = %v, want ErrRegistration", err)
	}
}

// TestClientsDoNotMoveBetweenIssuers: Checklist 16 and 19: a client that was
// registered at one issuer is not used at the next; it registers again.
// Checklist 20: a manually registered client is rejected there.
func TestClientsDoNotMoveBetweenIssuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, browsers, devices := twoServers()
		hosts := map[string]*oauthtest.Server{"browsers.test": browsers, "devices.test": devices}
		first, err := w.open(t, routed(w, hosts)).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.srv.Edit = editMetadata(oauthtest.Protected, func(doc map[string]any) {
			doc["authorization_servers"] = []string{"https://moved.test"}
		})
		moved := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
		hosts["moved.test"] = moved
		var changed *mcplogin.IssuerChangedError
		if _, err := w.open(t, routed(w, hosts)).Login(t.Context()); !errors.As(err, &changed) || changed.What != "issuer" {
			t.Fatalf("Login() at another issuer = %v, want *IssuerChangedError", err)
		}
		acceptIssuer := func(c *sessionConfig) { c.Register.AcceptNewIssuer = true }
		second, err := w.open(t, routed(w, hosts), acceptIssuer).Login(t.Context())
		if err != nil || moved.Count(oauthtest.Register) != 1 || second.App.ID == first.App.ID {
			t.Errorf("after acceptance: %v, %d registrations, client %q after %q", err, moved.Count(oauthtest.Register), second.App.ID, first.App.ID)
		}
	})
}

// TestInitialScopes: Checklist 21, 22 and 39: the challenge's scope, otherwise
// everything that the resource publishes, otherwise none; offline_access only if the
// server lists it.
func TestInitialScopes(t *testing.T) {
	for _, tt := range []struct {
		name       string
		challenge  string
		published  []string
		listed     []string // by the authorization server
		configured []string
		want       []string
	}{
		{"challenge", "mcp:read", []string{"mcp:read", "mcp:write"}, nil, nil, []string{"mcp:read"}},
		{"published", "", []string{"mcp:read", "mcp:write"}, nil, nil, []string{"mcp:read", "mcp:write"}},
		{"none", "", nil, nil, nil, nil},
		{"offline_access", "mcp:read", nil, []string{"offline_access"}, nil, []string{"mcp:read", "offline_access"}},
		{"requested by the user", "mcp:read", nil, []string{"offline_access"}, []string{"mcp:write"}, []string{"mcp:write"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
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
				c, err := w.open(t, func(c *sessionConfig) { c.Options.Scopes = tt.configured }).Login(t.Context())
				if err != nil || !slices.Equal(c.Asked, tt.want) {
					t.Errorf("Login() = %v, requested %q, want %q", err, c.Asked, tt.want)
				}
			})
		})
	}
}

// TestStepUpRequestsTheUnion: Checklist 23 and 41: a step-up requests the previous
// scopes and those of the challenge (SEP-2350), and later logins request both.
func TestStepUpRequestsTheUnion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens.Scopes = []string{"mcp:read", "mcp:write"}
		w.srv.Tokens.Required = "mcp:read"
		if _, err := w.open(t).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, more := range [][]string{{"mcp:write"}, nil} {
			c, err := w.open(t).Login(t.Context(), more...)
			if want := []string{"mcp:read", "mcp:write"}; err != nil || !slices.Equal(c.Asked, want) {
				t.Errorf("Login(%q) = %v, requested %q, want %q", more, err, c.Asked, want)
			}
		}
	})
}

// TestEveryRequestCarriesTheToken: Checklist 36: the token is in the header of
// every request, never in the URL.
func TestEveryRequestCarriesTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		var r requestRecorder
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

// TestNothingIsStoredInClearText: Checklist 38: no part of a credential is on disk in
// clear text.
func TestNothingIsStoredInClearText(t *testing.T) {
	dir := t.TempDir()
	store, err := file.Open(file.Config{Dir: filepath.Join(dir, "data"), Keeper: file.KeyFile{Dir: filepath.Join(dir, "keys")}})
	if err != nil {
		t.Fatal(err)
	}
	w := newFixture()
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
				t.Errorf("%s contains a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestResourceWithoutMetadata: Checklist 34: the resource of a server without
// metadata is the URL that the client uses.
func TestResourceWithoutMetadata(t *testing.T) {
	w := newFixture()
	w.srv.Tokens = oauthtest.Tokens{NoRefresh: true}
	w.srv.Clients.Known = map[string]string{"robot": "hush"}
	w.srv.Fault(oauthtest.Protected, oauthtest.Fault{Times: -1, Status: http.StatusNotFound})
	f := clientcred.ClientCredentials{}
	s := w.open(t, withFlow(f, oauth.App{ID: "robot", Secret: "hush"}, flows.Inputs{}), func(c *sessionConfig) {
		c.Options.Issuer = "https://mcp.test"
		c.Options.Endpoints.Token = "https://mcp.test/token"
	})
	c, err := s.Login(t.Context())
	if err != nil || c.Resource != server {
		t.Errorf("Login() = %v, resource %q, want %q", err, c.Resource, server)
	}
}
