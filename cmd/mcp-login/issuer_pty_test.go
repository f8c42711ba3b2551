//go:build linux

package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// remoteServer is a server at https://example.com, the name in the tests' certificate:
// an issuer on loopback would not have to be named. A proxy connects to it.
type remoteServer struct {
	oauthtest.Server
	home    string
	program string
	env     []string
}

const remoteURL = "https://example.com/mcp"

func newRemoteServer(t *testing.T) *remoteServer {
	t.Helper()
	dir := t.TempDir()
	x := &remoteServer{home: dir, Server: oauthtest.Server{
		Device:  oauthtest.Device{Interval: time.Second, AutoApprove: 1},
		Clients: oauthtest.Clients{Known: map[string]string{"robot": "s3cret-value"}},
	}}
	srv := httptest.NewTLSServer(&x.Server)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tunnel(w, srv.Listener.Addr().String()) }))
	t.Cleanup(func() { proxy.Close(); srv.CloseClientConnections(); srv.Close() })
	ca := filepath.Join(dir, "ca.pem")
	x.program = filepath.Join(dir, "mcp-login")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := errors.Join(os.WriteFile(ca, block, 0o600), os.Symlink(os.Args[0], x.program)); err != nil {
		t.Fatal(err)
	}
	x.env = append(os.Environ(), "HOME="+dir, "PATH="+dir+":"+os.Getenv("PATH"), "HTTPS_PROXY="+proxy.URL, "NO_PROXY=",
		"MCP_LOGIN_CA_CERT="+ca, "MCP_LOGIN_KEEPER=key-file", "MCP_LOGIN_CLIENT_SECRET=s3cret-value", "TERM=dumb")
	return x
}

// tunnel answers any CONNECT with a connection to one address.
func tunnel(w http.ResponseWriter, to string) {
	up, err := net.Dial("tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer up.Close()
	down, _, err := http.NewResponseController(w).Hijack() // before the response: the client sends nothing until then
	if err != nil {
		return
	}
	defer down.Close()
	_, _ = io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(up, down); up.Close() }()
	_, _ = io.Copy(down, up)
}

// sent counts the requests that contain a secret, or follow the user's approval.
func (x *remoteServer) sent() int {
	return x.Count(oauthtest.Register) + x.Count(oauthtest.Token) + x.Count(oauthtest.DeviceAuth)
}

// run runs a shell command without a terminal.
func (x *remoteServer) run(t *testing.T, line string, want int) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Env, cmd.SysProcAttr = x.env, &syscall.SysProcAttr{Setsid: true}
	var outBuf, errBuf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &outBuf, &errBuf
	_ = cmd.Run() // the exit code is checked
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("%s: exit code %d, want %d\n%s", line, got, want, errBuf.String())
	}
	if strings.Contains(errBuf.String(), "s3cret") {
		t.Errorf("%s shows the secret:\n%s", line, errBuf.String())
	}
	return outBuf.String(), errBuf.String()
}

// TestSecretIsNotSentToAnUnnamedIssuer: without a terminal the secret is not
// sent, and the suggested command signs in.
func TestSecretIsNotSentToAnUnnamedIssuer(t *testing.T) {
	x := newRemoteServer(t)
	stdout, stderr := x.run(t, "mcp-login login 'robot one' "+remoteURL+" --client-id robot --flow device", exit.BadUsage)
	if stdout != "" || x.sent() != 0 || !strings.Contains(stderr, "the client secret was not sent to https://example.com") {
		t.Errorf("%d requests, standard output %q\n%s", x.sent(), stdout, stderr)
	}
	hint := regexp.MustCompile(`(?m)^hint: (.*)$`).FindStringSubmatch(stderr)
	if hint == nil {
		t.Fatalf("no hint:\n%s", stderr)
	}
	x.run(t, hint[1], exit.Done)
	x.run(t, "mcp-login login 'robot one' --client-id robot --force", exit.Done) // the stored record names it
	notes, err := filepath.Glob(filepath.Join(x.home, ".local/state/mcp-login/confirmed/*"))
	if err != nil || len(notes) != 1 {
		t.Fatalf("the sign-in was recorded in %q, %v", notes, err)
	}
	if err := os.Remove(notes[0]); err != nil {
		t.Fatal(err)
	}
	before := x.sent()
	_, stderr = x.run(t, "mcp-login login 'robot one' --client-id robot --force", exit.BadUsage) // written by another user, or on another host
	if x.sent() != before || !strings.Contains(stderr, "the client secret was not sent to https://example.com") {
		t.Errorf("%d requests because of a record\n%s", x.sent()-before, stderr)
	}
	x.run(t, "mcp-login login b "+remoteURL+" --client-id robot --expect-issuer https://example.com", exit.Done)
	before = x.sent()
	x.run(t, "mcp-login login c "+remoteURL+" --client-id robot --expect-issuer https://other.example", exit.Denied)
	if x.sent() != before {
		t.Error("a secret was sent to an unexpected issuer")
	}
}

// TestSecretNeedsConfirmation: at a terminal there is one confirmation,
// and any answer but y is a no.
func TestSecretNeedsConfirmation(t *testing.T) {
	x := newRemoteServer(t)
	login := func() *terminaltest.Terminal {
		cmd := exec.Command(x.program, "login", "a", remoteURL, "--client-id", "robot", "--flow", "device", "--force")
		cmd.Env = x.env
		return terminaltest.Start(t, cmd, 80, 24)
	}
	const question = "Send the client secret to https://example.com? [y/N]"
	for _, tt := range []struct {
		typed string // "": no confirmation
		want  int
	}{{"\n", exit.Denied}, {"n\n", exit.Denied}, {"y\n", exit.Done}, {"", exit.Done}} {
		before, term := x.sent(), login()
		if tt.typed != "" {
			term.WaitFor(question)
			if x.sent() != before {
				t.Errorf("%q: a secret was sent before the answer", tt.typed)
			}
			if _, err := io.WriteString(term.PTY, tt.typed); err != nil {
				t.Fatal(err)
			}
		}
		_ = term.Cmd.Wait() // the exit code is checked
		<-term.Over
		if got := term.Cmd.ProcessState.ExitCode(); got != tt.want {
			t.Errorf("%q: exit code %d, want %d\n%s", tt.typed, got, tt.want, term.Screen())
		}
		if prompted := strings.Contains(term.Raw.String(), question); prompted != (tt.typed != "") || tt.want == exit.Denied && x.sent() != before {
			t.Errorf("%q: prompted %v, then %d requests\n%s", tt.typed, prompted, x.sent()-before, term.Screen())
		}
	}
}
