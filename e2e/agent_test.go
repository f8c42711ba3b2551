//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// demoHome is the demo server, a home with credentials for it, and the times at which
// tokens were refreshed.
type demoHome struct {
	*home
	demo   *demoserver.Server
	socket string

	mu        sync.Mutex
	refreshes []time.Time
}

// ServeHTTP counts the refreshes.
func (d *demoHome) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		d.mu.Lock()
		d.refreshes = append(d.refreshes, time.Now())
		d.mu.Unlock()
	}
	d.demo.ServeHTTP(w, r)
}

func (d *demoHome) refreshesSince(begin time.Time) (total, worst int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	second := map[int]int{}
	for _, at := range d.refreshes {
		if at.After(begin) {
			total++
			s := int(at.Sub(begin) / time.Second)
			second[s]++
			worst = max(worst, second[s])
		}
	}
	return total, worst
}

// noPrompt shows nothing, because the demo approves by itself.
type noPrompt struct{}

func (noPrompt) ShowCode(context.Context, device.Code) {}

// newDemoHome signs in profiles p0, p1, ... whose access tokens have the lifetime ttl.
func newDemoHome(t testing.TB, profiles int, ttl time.Duration) *demoHome {
	t.Helper()
	d := &demoHome{home: newHome(t)}
	d.socket = filepath.Join(d.dir, "run", "agent.sock")
	web := httptest.NewUnstartedServer(d)
	var err error
	d.demo, err = demoserver.New(demoserver.Config{
		URL: "http://" + web.Listener.Addr().String(), AccessTTL: ttl, Interval: time.Second, AutoApprove: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	web.Start()
	t.Cleanup(web.Close)
	store, err := file.Open(file.Config{
		Dir:    filepath.Join(d.dir, "data", "mcp-login"),
		Keeper: file.KeyFile{Dir: filepath.Join(d.dir, "state", "mcp-login", "keys")},
	})
	if err != nil {
		t.Fatal(err)
	}
	hc := oauth.Guard{Server: d.demo.MCP()}.Client()
	t.Cleanup(hc.CloseIdleConnections)
	var logins sync.WaitGroup
	turns := make(chan struct{}, 16) // each sign-in probes the store, which allows one probe at a time
	for i := range profiles {
		logins.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			s, err := mcplogin.Open(mcplogin.Config{
				Profile: fmt.Sprint("p", i), Server: d.demo.MCP(), Source: mcplogin.Stored(store),
				HTTP: func(string) *http.Client { return hc },
			})
			if err == nil {
				_, err = s.Login(t.Context(), mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: noPrompt{}}}})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	logins.Wait()
	return d
}

// startAgent starts an agent and waits for its socket.
func (d *demoHome) startAgent(args ...string) *running {
	d.t.Helper()
	r := d.start(append([]string{"agent", "--socket", d.socket, "--log-format", "json"}, args...)...)
	r.stderr.await(d.t, regexp.MustCompile("next: export MCP_LOGIN_AGENT_SOCK="))
	return r
}

// stop stops a process as a service manager does.
func (r *running) stop() result {
	r.h.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.h.t.Fatal(err)
	}
	return r.wait(0)
}

// accepts reports whether the demo server accepts an issued token.
func (d *demoHome) accepts(c mcplogin.Credential) bool {
	d.t.Helper()
	recordTokens(c.Token.Access)
	req, err := http.NewRequestWithContext(d.t.Context(), "GET", c.Server, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token.Access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode != http.StatusUnauthorized
}

// checkToken requests a token, then checks its expiry and whether the server accepts
// it. If the token expires between the two checks, as it can on a busy machine,
// checkToken requests another one.
func (d *demoHome) checkToken(client *agent.Client, profile string) error {
	for {
		c, err := client.Issue(d.t.Context(), profile, 0, "")
		if err != nil {
			return err
		}
		if left := time.Until(c.Token.Expiry); left <= 0 {
			return fmt.Errorf("the token expired %s ago", -left)
		}
		if d.accepts(c) {
			return nil
		}
		if left := time.Until(c.Token.Expiry); left > 0 {
			return fmt.Errorf("the server rejects the token, which has %s left", left)
		}
	}
}

// TestAgentRefreshesManyProfiles runs the real agent for a minute, in which every token
// expires at least once. The server accepts every token that the agent issues.
func TestAgentRefreshesManyProfiles(t *testing.T) {
	t.Parallel()
	const profiles, ttl, duration = 1000, time.Minute, time.Minute
	d := newDemoHome(t, profiles, ttl)
	r := d.startAgent()
	client := &agent.Client{Socket: d.socket}
	begin, requested := time.Now(), 0
	for time.Since(begin) < duration {
		if err := d.checkToken(client, fmt.Sprint("p", rand.N(profiles))); err != nil {
			t.Fatalf("after %d: %v", requested, err)
		}
		requested++
		time.Sleep(20 * time.Millisecond) // below the rate limit of 50 requests a second
	}
	refreshes, worst := d.refreshesSince(begin)
	r.stop()
	usage := r.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("%d profiles, %d requested, %d refreshes, at most %d in a second; peak memory %.1f MiB, CPU %.2f s in %s",
		profiles, requested, refreshes, worst, float64(usage.Maxrss)/1024,
		(r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime()).Seconds(), duration)
	if refreshes < profiles || refreshes > 4*profiles {
		t.Errorf("%d refreshes", refreshes)
	}
	if worst > profiles/3 {
		t.Errorf("%d refreshes in one second", worst)
	}
}

// TestAgentKilledAndStopped: a new agent replaces one that was killed, and an agent
// that was stopped until all tokens expired issues no expired token when it continues.
func TestAgentKilledAndStopped(t *testing.T) {
	t.Parallel()
	const profiles, ttl = 20, 12 * time.Second
	const atOnce = 16 // refreshes in flight at one server
	d := newDemoHome(t, profiles, ttl)
	client := &agent.Client{Socket: d.socket}
	lost := 0
	all := func(when string) {
		t.Helper()
		for i := range profiles {
			err := d.checkToken(client, fmt.Sprint("p", i))
			if errors.Is(err, mcplogin.ErrLoginRequired) {
				lost++ // killed between the server's rotation and the save
				continue
			}
			if err != nil {
				t.Errorf("%s: p%d: %v", when, i, err)
			}
		}
	}
	for range 3 {
		r := d.startAgent()
		all("running")
		if !r.killAfter(rand.N(ttl)) {
			t.Fatal("the agent exited")
		}
		d.want(7, "token", "p0", "--agent-sock", d.socket)
	}
	t.Logf("%d credentials were lost by 3 kills", lost)
	if lost > 3*atOnce { // a busy machine has more refreshes in flight
		t.Errorf("each kill lost more than %d credentials", atOnce)
	}
	r := d.startAgent()
	time.Sleep(ttl) // real time: a loss by the last kill shows only after the old token has expired
	lost = 0
	all("before it is stopped")
	before := lost
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := r.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGSTOP {
			time.Sleep(ttl + 2*time.Second) // real time: the token must expire at the server
		}
	}
	lost = 0
	all("after it was stopped")
	if lost != before {
		t.Errorf("%d credentials were lost by a stop", lost-before)
	}
	r.stop()
	if _, err := os.Lstat(d.socket); err == nil {
		t.Error("the socket was not removed")
	}
}

// TestAgentForwarded uses one credential through a real sshd.
func TestAgentForwarded(t *testing.T) {
	t.Parallel()
	d := newDemoHome(t, 2, time.Hour)
	forwarded := filepath.Join(d.dir, "run", "forwarded.sock")
	audit := filepath.Join(d.dir, "audit.jsonl")
	r := d.startAgent("--forward-socket", forwarded, "--allow", "p0", "--audit", audit)
	host := startSSHD(t)
	remote := filepath.Join(host.dir, "agent.sock")
	forward := host.ssh("-N", "-o", "ExitOnForwardFailure=yes", "-R", remote+":"+forwarded)
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = forward.Process.Kill() // it may have exited
		_ = forward.Wait()
	}()
	waitForFile(t, remote)

	other := newHome(t) // an account on the other host that never signed in
	runRemote := func(words ...string) (string, error) {
		line := []string{"env", "HOME=" + other.dir, "MCP_LOGIN_AGENT_SOCK=" + remote, program}
		out, err := host.ssh(append(line, words...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	token, err := runRemote("token", "p0")
	if err != nil || !d.accepts(mcplogin.Credential{Server: d.demo.MCP(), Token: oauth.Token{Access: token}}) {
		t.Fatalf("through ssh: %v", err)
	}
	for command, want := range map[string]string{"list": "p0", "status p0": "agent:" + remote, "test p0": "whoami", "refresh p0": ""} {
		if out, err := runRemote(strings.Fields(command)...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s through ssh: %v, %q, want %q", command, err, out, want)
		}
	}
	for profile, code := range map[string]int{"p1": 5, "p9": 5} {
		out, err := runRemote("token", profile)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != code || out != "" {
			t.Errorf("%s: %v, %q", profile, err, out)
		}
	}
	if n := countFiles(t, other.dir); n != 0 {
		t.Errorf("%d files are on the other host", n)
	}
	_ = forward.Process.Signal(syscall.SIGTERM)
	_ = forward.Wait() // the error below reports why it ended
	out, err := runRemote("token", "p0")
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 || out != "" {
		t.Errorf("after the connection ended: %v", err)
	}
	r.stop()
	text, err := os.ReadFile(audit)
	if err != nil {
		t.Fatal(err)
	}
	recordOutput(string(text))
	first, _, _ := strings.Cut(string(text), "\n")
	var line agentd.Request
	if err := json.Unmarshal([]byte(first), &line); err != nil || line.Socket != "forward" || line.Profile != "p0" ||
		line.UID != os.Geteuid() || filepath.Base(line.Exe) != "ssh" || line.Outcome != "handed out" {
		t.Errorf("audit: %s", first)
	}
}

func waitForFile(t *testing.T, path string) {
	t.Helper()
	await.True(t, path+" is there", func() bool {
		_, err := os.Lstat(path)
		return err == nil
	})
}

// TestAgentUnits: systemd accepts the units.
func TestAgentUnits(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	if err := os.MkdirAll(filepath.Join(h.dir, ".local/bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(h.dir, ".local/bin/mcp-login")); err != nil {
		t.Fatal(err)
	}
	units, err := filepath.Glob("../internal/agentd/systemd/mcp-login-agent.*")
	if err != nil || len(units) != 2 {
		t.Fatalf("units: %v, %v", units, err)
	}
	cmd := exec.Command("systemd-analyze", append([]string{"verify", "--user", "--man=no"}, units...)...)
	cmd.Env = append(h.env, "XDG_RUNTIME_DIR="+h.dir)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestAgentSocketActivation: systemd's own tool passes the socket, and the first client
// starts the agent.
func TestAgentSocketActivation(t *testing.T) {
	t.Parallel()
	d := newDemoHome(t, 1, time.Hour)
	if err := os.Mkdir(filepath.Dir(d.socket), 0o700); err != nil {
		t.Fatal(err)
	}
	forwarded := d.socket + ".forward"
	activate := exec.Command("systemd-socket-activate", "--listen="+d.socket, "--listen="+forwarded, "--fdname=agent:forward",
		program, "agent", "--allow", "p9", "--log-level", "info")
	for _, pair := range d.env {
		activate.Args = append(activate.Args[:1], append([]string{"--setenv=" + pair}, activate.Args[1:]...)...)
	}
	stderr := newOutputBuffer()
	activate.Stderr, activate.Env = stderr, d.env
	if err := activate.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = activate.Wait() // its exit code is checked below
		close(stderr.closed)
	}()
	defer func() { _ = activate.Process.Kill() }() // it may have exited
	waitForFile(t, forwarded)
	c, err := (&agent.Client{Socket: d.socket}).Issue(t.Context(), "p0", 0, "")
	if err != nil || !d.accepts(c) {
		t.Errorf("%v\n%s", err, stderr)
	}
	if _, err := (&agent.Client{Socket: forwarded}).Issue(t.Context(), "p0", 0, ""); !errors.Is(err, agent.ErrDenied) {
		t.Errorf("through the limited socket: %v", err)
	}
	if err := activate.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-stderr.closed
	recordOutput(stderr.String())
	if code := activate.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if _, err := os.Lstat(d.socket); err != nil {
		t.Error("the agent removed the service manager's socket")
	}
}
