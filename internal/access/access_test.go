package access_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/outbound"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// opener returns an opener of a user with a new home folder and these command line
// arguments, and its messages.
func opener(t *testing.T, words ...string) (access.Opener, *bytes.Buffer) {
	t.Helper()
	home, output := t.TempDir(), new(bytes.Buffer)
	getenv := func(name string) string { return map[string]string{"HOME": home, "USERPROFILE": home}[name] }
	tree := commandline.Tree{Commands: []*commandline.Command{{Name: "test", Args: "[NAME]", Flags: []commandline.Flag{{Key: settings.Key{Name: "expect-issuer"}}}}}}
	return access.Opener{
		Options:    access.Options{Keeper: "key-file"},
		Invocation: invocation.Invocation{Line: tree.Interpret(append([]string{"test"}, words...)), Getenv: getenv},
		Streams:    terminal.Streams{In: strings.NewReader(""), Out: io.Discard, Err: output, Getenv: getenv, TTY: func() (*os.File, error) { return nil, os.ErrNotExist }},
		Hidden:     redact.To(io.Discard), Dirs: paths.Dirs{Getenv: getenv}, Log: slog.New(slog.DiscardHandler),
		Clients: sync.OnceValues(outbound.Options{Getenv: getenv}.Clients),
	}, output
}

// stored saves a credential of a server that does not exist.
func stored(t *testing.T, o access.Opener, profile string) secrets.Store {
	t.Helper()
	store, err := o.OpenStore(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	c := mcplogin.Credential{
		Version: 1, Profile: profile, Server: "https://mcp.example/mcp",
		Issuer: oauth.Server{Issuer: "https://as.example", TokenEndpoint: "https://as.example/token"},
		Token:  oauth.Token{Access: "secret-access", Expiry: time.Now().Add(time.Hour)},
	}
	if err := access.Import(t.Context(), store, c, false); err != nil {
		t.Fatal(err)
	}
	return store
}

// TestSource: flags that only the token's own host can enforce cannot be used with
// an agent.
func TestSource(t *testing.T) {
	o, _ := opener(t)
	if from, err := o.Source(t.Context(), "/a.sock", false); err != nil || from.Agent == nil || from.Store != nil {
		t.Errorf("%+v, %v", from, err)
	}
	var usage exit.UsageError
	if _, err := o.Source(t.Context(), "/a.sock", true); !errors.As(err, &usage) {
		t.Errorf("with --login: %v", err)
	}
	o, _ = opener(t, "--expect-issuer", "https://as.example")
	if _, err := o.Source(t.Context(), "/a.sock", false); !errors.As(err, &usage) {
		t.Errorf("with --expect-issuer: %v", err)
	}
}

// TestVariables: either all variables are returned or none, and their secrets are
// redacted in logs.
func TestVariables(t *testing.T) {
	o, _ := opener(t)
	stored(t, o, "a")
	vars, err := o.Variables(t.Context(), "", variables.Naming{}, []string{"a"}, false)
	if err != nil || len(vars) != 4 || vars[0].Name != "MCP_A_AUTHORIZATION" || vars[0].Value != "Bearer secret-access" {
		t.Errorf("%+v, %v", vars, err)
	}
	if o.Hidden.Clean("secret-access") == "secret-access" {
		t.Error("the token is not redacted")
	}
	if vars, err := o.Variables(t.Context(), "", variables.Naming{}, []string{"a", "b"}, false); vars != nil || !errors.Is(err, mcplogin.ErrLoginRequired) {
		t.Errorf("one of two profiles: %+v, %v", vars, err)
	}
}

// TestRemove: a profile without a credential is exit code 4, with a hint other than
// to sign in. If the server cannot revoke the token, the result says which token
// stays valid.
func TestRemove(t *testing.T) {
	o, _ := opener(t)
	store := stored(t, o, "a")
	for name, remove := range map[string]func() error{
		"logout": func() error { _, err := o.Logout(t.Context(), "b"); return err },
		"clear":  func() error { return o.Clear(t.Context(), "b") },
	} {
		var failed *exit.Error
		if err := remove(); !errors.As(err, &failed) || failed.Code != exit.LoginRequired || !strings.HasPrefix(failed.Hint, "mcp-login list") {
			t.Errorf("%s: %v", name, err)
		}
	}
	unrevoked, err := o.Logout(t.Context(), "a")
	if err != nil || unrevoked == nil || unrevoked.Token.Access != "secret-access" {
		t.Errorf("%+v, %v", unrevoked, err)
	}
	if names, err := store.List(t.Context()); len(names) > 0 || err != nil {
		t.Errorf("still stored: %q, %v", names, err)
	}
}

// TestImportKeeps: a credential is replaced only with --force.
func TestImportKeeps(t *testing.T) {
	o, _ := opener(t)
	store := stored(t, o, "a")
	s, err := o.Session(access.Source{Store: store}, "a")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Credential(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var failed *exit.Error
	if err := access.Import(t.Context(), store, c, false); !errors.As(err, &failed) || !strings.Contains(failed.Hint, "--force") {
		t.Errorf("%v", err)
	}
	if err := access.Import(t.Context(), store, c, true); err != nil {
		t.Error(err)
	}
}

// TestNewStoreIsAnnounced: a new store is announced with its keeper once it
// exists.
func TestNewStoreIsAnnounced(t *testing.T) {
	o, output := opener(t)
	o.Keeper = ""
	store, err := o.OpenStore(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(output.String(), "created the store") {
		t.Errorf("output before the first write: %q", output)
	}
	if err := stores.Probe(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if strings.Count(output.String(), "created the store") != 1 {
		t.Errorf("output %q", output)
	}
}

// TestHeadersAreSentOnlyToTheServer: custom headers for the MCP server are sent to its
// origin during a sign-in too, but not to a relay.
func TestHeadersAreSentOnlyToTheServer(t *testing.T) {
	o, _ := opener(t)
	o, err := o.WithHeaders(t.Context(), []string{"X-Key: secret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{} // by path
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got[r.URL.Path] = append(got[r.URL.Path], r.Header.Get("X-Key"))
		http.NotFound(w, r)
	}))
	defer web.Close()
	in, err := o.SignIn(&signin.Options{Relay: signin.Relay{URLs: []string{web.URL}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Suited(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, keys := range got {
		if slices.Contains(keys, "secret") {
			t.Errorf("the relay got the header at %s", path)
		}
	}
	if len(got) == 0 {
		t.Error("the relay received no request")
	}
	store, err := o.OpenStore(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := o.Config(access.Source{Store: store}, "a")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := cfg.HTTP(web.URL + "/mcp").Get(web.URL + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if keys := got["/mcp"]; !slices.Equal(keys, []string{"secret"}) {
		t.Errorf("the MCP server got %q", keys)
	}
}

// TestStateOfNonInteractiveCredential: a credential whose flow is non-interactive
// needs no user, although it has no refresh token, and "clear --expired" must keep
// it.
func TestStateOfNonInteractiveCredential(t *testing.T) {
	o, _ := opener(t)
	store, err := o.OpenStore(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for flow, want := range map[string]string{"client-credentials": mcplogin.StateRefresh, "ci": mcplogin.StateRefresh, "device": mcplogin.StateLogin} {
		c := mcplogin.Credential{
			Version: 1, Profile: flow, Server: "https://mcp.example/mcp", Flow: flow,
			Issuer: oauth.Server{Issuer: "https://as.example", TokenEndpoint: "https://as.example/token"},
			Token:  oauth.Token{Access: "expired", Expiry: time.Now().Add(-time.Hour)},
		}
		if err := access.Import(t.Context(), store, c, false); err != nil {
			t.Fatal(err)
		}
		r, err := o.Report(t.Context(), access.Source{Store: store}, flow)
		if err != nil || r.State != want || r.Refreshable != (want == mcplogin.StateRefresh) {
			t.Errorf("%s: state %q, renews %v, %v, want %q", flow, r.State, r.Refreshable, err, want)
		}
	}
}
