package mcpprobe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

type silent struct{}

func (silent) ShowCode(context.Context, device.Code) {}

// session signs in to a server.
func session(t *testing.T, url string) *mcplogin.Session {
	t.Helper()
	s, err := mcplogin.Open(mcplogin.Config{
		Profile: "p", Server: url, Source: mcplogin.Stored(&secrets.Memory{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Login(t.Context(), mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: silent{}}}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// startDemo starts an MCP server based on the MCP Go SDK.
func startDemo(t *testing.T) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	handler, err := demoserver.New(demoserver.Config{
		URL: "http://" + srv.Listener.Addr().String(), Interval: time.Second, AutoApprove: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = handler
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL + "/mcp"
}

func TestBothProtocols(t *testing.T) {
	url := startDemo(t)
	s := session(t, url)
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(version, func(t *testing.T) {
			r, err := mcpprobe.Run(t.Context(), mcpprobe.Config{
				Session: s, Server: url, ProtocolVersion: version,
				Calls: []mcpprobe.Call{{Tool: "whoami"}, {Tool: "add", Args: []byte(`{"a":2,"b":3}`)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if r.ProtocolVersion != version || !slices.ContainsFunc(r.Tools, func(t mcpprobe.Tool) bool { return t.Name == "add" }) {
				t.Errorf("Run() = protocol %q, tools %v", r.ProtocolVersion, r.Tools)
			}
			if len(r.Results) != 2 || r.Results[1].IsError {
				t.Fatalf("results: %v", r.Results)
			}
			if got := r.Results[1].Texts(); !slices.Equal(got, []string{"5"}) || !strings.Contains(string(r.Results[1].Content[0]), `"type":"text"`) {
				t.Errorf("2 + 3 = %q, %s", got, r.Results[1].Content)
			}
		})
	}
}

func TestUnknownTool(t *testing.T) {
	url := startDemo(t)
	if _, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: session(t, url), Server: url, Calls: []mcpprobe.Call{{Tool: "none"}}}); err == nil {
		t.Error("a call of an unknown tool succeeded")
	}
}

// TestMoreScopes: Checklist 40 and 41: a 403 with insufficient_scope returns the
// scopes, and does not start a sign-in.
func TestMoreScopes(t *testing.T) {
	fake := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1, Interval: time.Second}}
	srv := httptest.NewServer(fake)
	defer srv.Close()
	url := srv.URL + "/mcp"
	s := session(t, url)
	reject := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			r.Body.Close()
		}
		return &http.Response{
			StatusCode: http.StatusForbidden, Request: r, Body: http.NoBody,
			Header: http.Header{"Www-Authenticate": {`Bearer error="insufficient_scope", scope="mcp:write"`}},
		}, nil
	})
	_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: s, Server: url, HTTP: reject})
	var scope *mcplogin.InsufficientScopeError
	if !errors.As(err, &scope) || !slices.Equal(scope.Scopes, []string{"mcp:write"}) {
		t.Errorf("Run() = %v, want *InsufficientScopeError", err)
	}
	if n := fake.Count(oauthtest.DeviceAuth); n != 1 {
		t.Errorf("%d logins, want only the first", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestLoginIsRequired(t *testing.T) {
	s, err := mcplogin.Open(mcplogin.Config{Profile: "p", Source: mcplogin.Stored(&secrets.Memory{})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: s, Server: startDemo(t)}); !errors.Is(err, mcplogin.ErrLoginRequired) {
		t.Errorf("Run() = %v, want ErrLoginRequired", err)
	}
}

// TestOlderVersionIsOffered: a server that rejects an unknown protocol version with
// 400, instead of responding with its own version, is offered older ones, unless
// the user requires a version.
func TestOlderVersionIsOffered(t *testing.T) {
	url := startDemo(t)
	s := session(t, url)
	supporting := func(newest string) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			for _, version := range []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"} {
				if version > newest && (bytes.Contains(body, []byte(version)) || r.Header.Get("Mcp-Protocol-Version") == version) {
					return &http.Response{StatusCode: http.StatusBadRequest, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("unknown version"))}, nil
				}
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			return http.DefaultTransport.RoundTrip(r)
		}
	}
	for newest, want := range map[string]string{"2026-07-28": "2026-07-28", "2025-11-25": "2025-11-25", "2025-06-18": "2025-06-18", "2025-03-26": "2025-03-26"} {
		r, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: s, Server: url, HTTP: supporting(newest)})
		if err != nil || r.ProtocolVersion != want || len(r.Tools) == 0 {
			t.Errorf("newest %s: version %q with %d tools, error %v", newest, r.ProtocolVersion, len(r.Tools), err)
		}
	}
	for requested, offers := range map[string]int{"": 3, "2025-06-18": 1} {
		_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: s, Server: url, HTTP: supporting("2024"), ProtocolVersion: requested})
		var none *mcpprobe.ProtocolError
		if !errors.As(err, &none) || len(none.Offered) != offers {
			t.Errorf("requested %q: error %v, want a *ProtocolError after %d offers", requested, err, offers)
		}
	}
}
