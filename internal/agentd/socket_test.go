//go:build linux || darwin || freebsd

package agentd_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

const server = "https://mcp.test/mcp"

type silentPrompt struct{}

func (silentPrompt) ShowCode(context.Context, device.Code) {}

// names are profile names that must pass through a URL path unchanged.
var names = []string{"a", "a/b", "..", ".", "//", "a b", "100%", "%2e", "a?b#c", "caf\u00e9"}

// start runs an agent with a real socket, and returns the path of the socket.
func start(t *testing.T, profiles ...string) (path string, srv *oauthtest.Server) {
	t.Helper()
	l := startTestAgent(t, func(*agentd.Config) {}, profiles...)
	return l.path, l.srv
}

// testAgent is an agent with a real socket.
type testAgent struct {
	path string
	srv  *oauthtest.Server
	stop func() // waits; stopped at the end of the test at the latest
}

func startTestAgent(t *testing.T, edit func(*agentd.Config), profiles ...string) testAgent {
	t.Helper()
	srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1, Interval: time.Second}}
	store := &secrets.Memory{}
	cfg := mcplogin.Config{
		Source: mcplogin.Stored(store), HTTP: func(string) *http.Client { return srv.Client() },
	}
	for _, name := range profiles {
		login := cfg
		login.Profile, login.Server = name, server
		s, err := mcplogin.Open(login)
		if err == nil {
			_, err = s.Login(t.Context(), mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: silentPrompt{}}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	all := agentd.Config{Session: cfg, Profiles: store.List}
	edit(&all)
	a, err := agentd.New(all)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run", "agent.sock")
	l, remove, err := agentd.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx, agentd.Socket{Listener: l}) }()
	end := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		end()
		remove()
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the socket was not removed")
		}
	})
	return testAgent{path, srv, end}
}

// TestClient sends requests through a real socket.
func TestClient(t *testing.T) {
	path, srv := start(t, "a", "b")
	c := &agent.Client{Socket: path}
	got, err := c.Issue(t.Context(), "a", 0, "")
	if err != nil || got.Server != server || time.Until(got.Token.Expiry) < 59*time.Minute || got.Token.Refresh != "" {
		t.Errorf("credential: %v, for %s", err, got.Server)
	}
	_, err = c.Issue(t.Context(), "nobody", 0, "")
	if login, ok := errors.AsType[*mcplogin.LoginRequiredError](err); !ok || login.Profile != "nobody" {
		t.Errorf("unknown profile: %v", err)
	}
	s, err := c.Status(t.Context(), "a", time.Minute)
	if err != nil || s.State != mcplogin.StateValid || s.Issuer == "" || !s.Refreshable || s.Fingerprint != got.Status(0).Fingerprint {
		t.Errorf("status: %+v, %v", s, err)
	}
	if _, err := c.Status(t.Context(), "nobody", 0); !errors.Is(err, mcplogin.ErrLoginRequired) {
		t.Errorf("status of an unknown profile: %v", err)
	}
	if names, err := c.Profiles(t.Context()); err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("profiles: %q, %v", names, err)
	}
	srv.RevokeAll()
	if _, err = c.Issue(t.Context(), "a", time.Hour, ""); err != nil { // the minimum lifetime is capped at a quarter, so this causes no refresh
		t.Error(err)
	}
	c.Socket += "-gone"
	if _, err = c.Issue(t.Context(), "a", 0, ""); !errors.Is(err, secrets.ErrUnavailable) || oauth.Temporary(err) {
		t.Errorf("no agent: %v", err)
	}
}

// TestSession: a session whose credential the agent keeps retries a request with a
// new token, and does not change the credential.
func TestSession(t *testing.T) {
	path, srv := start(t, "a")
	s, err := mcplogin.Open(mcplogin.Config{Profile: "a", Source: mcplogin.Brokered(&agent.Client{Socket: path})})
	if err != nil {
		t.Fatal(err)
	}
	call := func() (status int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", server, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Transport(srv.Client().Transport).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	first, err := s.Token(t.Context())
	if err != nil || call() != http.StatusOK {
		t.Fatalf("token: %v", err)
	}
	srv.RevokeAccess()
	if status := call(); status != http.StatusOK {
		t.Errorf("after the token was revoked: status %d", status)
	}
	second, err := s.Token(t.Context())
	if err != nil || second.Access == first.Access || second.Refresh != "" {
		t.Errorf("a new token: %v", err)
	}
	before := srv.Grants("refresh_token")
	srv.RevokeAccess()
	for range 20 { // a token that has just been refreshed is not refreshed again
		if status := call(); status != http.StatusUnauthorized {
			t.Errorf("a server that rejects every token: status %d", status)
		}
	}
	if n := srv.Grants("refresh_token") - before; n != 0 {
		t.Errorf("%d refreshes for tokens that are rejected immediately", n)
	}
	_, login := s.Login(t.Context(), mcplogin.LoginRequest{})
	for what, err := range map[string]error{"login": login, "logout": s.Logout(t.Context()), "clear": s.Clear(t.Context())} {
		if !errors.Is(err, mcplogin.ErrBrokered) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other, err := mcplogin.Open(mcplogin.Config{Profile: "a", Server: "https://other.test/mcp", Source: mcplogin.Brokered(&agent.Client{Socket: path})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Token(t.Context()); err == nil {
		t.Error("a token for another server was accepted")
	}
}

// TestNames: every name that a store accepts passes through the URL path.
func TestNames(t *testing.T) {
	path, _ := start(t, names[:3]...)
	c := &agent.Client{Socket: path}
	for i, name := range names {
		got, err := c.Issue(t.Context(), name, 0, "")
		if i < 3 && (err != nil || got.Profile != name) {
			t.Errorf("%q: %q, %v", name, got.Profile, err)
		}
		if login, _ := errors.AsType[*mcplogin.LoginRequiredError](err); i >= 3 && (login == nil || login.Reason == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestSocketIsPrivate: mode 0600, in a folder of mode 0700.
func TestSocketIsPrivate(t *testing.T) {
	path, _ := start(t)
	for file, want := range map[string]fs.FileMode{path: fs.ModeSocket | 0o600, filepath.Dir(path): fs.ModeDir | 0o700} {
		info, err := os.Lstat(file)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("the folder of the socket: %v, %v", files, err)
	}
}

// TestInherit: the agent uses a socket that a service manager passes to it.
func TestInherit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	passed, err := agentd.Inherit(f)
	if err != nil {
		t.Fatal(err)
	}
	passed.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Error("an inherited socket was removed")
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	if f, err = tcp.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	if _, err := agentd.Inherit(f); err == nil {
		t.Error("a TCP port was accepted as a Unix socket")
	}
	if f, err = os.Open(os.DevNull); err != nil {
		t.Fatal(err)
	}
	if _, err := agentd.Inherit(f); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file that is not a socket: %v", err)
	}
}

// get makes a plain request, like curl --unix-socket.
func get(t *testing.T, path, url string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://agent"+url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestMetrics: the metrics count events, in the Prometheus text format. The
// end-to-end tests read them with Prometheus.
func TestMetrics(t *testing.T) {
	path, _ := start(t, "a")
	c := &agent.Client{Socket: path}
	for _, name := range []string{"a", "a", "nobody"} {
		_, _ = c.Issue(t.Context(), name, 0, "") // the outcome is counted
	}
	got := samples(t, get(t, path, "/metrics").Body)
	if len(got["mcp_login_agent_refreshes_total"]) == 0 || len(got["process_cpu_seconds_total"]) == 0 {
		t.Errorf("a metric family is missing: %v", got)
	}
	if n := len(got["mcp_login_agent_profiles"]); n != 4 {
		t.Errorf("%d states, want 4", n)
	}
	for labels, value := range got["mcp_login_agent_requests_total"] {
		want := map[string]float64{`result="handed_out"`: 2, `result="login_required"`: 1}[labels]
		if value != want {
			t.Errorf("%s: %v, want %v", labels, value, want)
		}
	}
}

var sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="[^"\\]*",? ?)+)\})? (\S+)$`)

// samples parses metrics in the Prometheus text format: the values of each family
// by their labels. Each family begins with its type.
func samples(t *testing.T, r io.Reader) map[string]map[string]float64 {
	t.Helper()
	families := map[string]map[string]float64{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		if word := strings.Fields(line); len(word) == 4 && word[0] == "#" && word[1] == "TYPE" {
			families[word[2]] = map[string]float64{}
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no sample: %q", line)
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		family := m[1]
		if families[family] == nil { // of a histogram or summary
			family = regexp.MustCompile(`_(?:bucket|sum|count)$`).ReplaceAllString(family, "")
		}
		if err != nil || families[family] == nil {
			t.Errorf("%q: %v, or no TYPE line", line, err)
			continue
		}
		families[family][m[2]] = value
	}
	return families
}

// TestOtherRequests: any other request gets a plain error.
func TestOtherRequests(t *testing.T) {
	path, _ := start(t)
	for url, want := range map[string]int{
		"/": 404, "/v1/profiles": 200, "/v1/profiles/a": 409, "/v1/profiles/": 400, "/v1/profiles/a/b": 404, "/v1/profiles//headers": 400, "/v1/profiles/%00/headers": 400, "/v1/profiles/-a/headers": 400,
		"/v1/profiles/a/headers?min_ttl=soon": 400, "/v1/health": 200,
	} {
		if resp := get(t, path, url); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", url, resp.Status, want)
		}
	}
}
