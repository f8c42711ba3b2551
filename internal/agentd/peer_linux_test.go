package agentd_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// asker, if set, makes the test binary a program that connects to that socket
// and says how it was received.
const asker = "MCP_LOGIN_TEST_ASK"

// squatter, if set, makes it a program that answers at that socket as an agent
// would.
const squatter = "MCP_LOGIN_TEST_SQUAT"

func TestMain(m *testing.M) {
	if path := os.Getenv(squatter); path != "" {
		squat(path)
		return
	}
	path := os.Getenv(asker)
	if path == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		_, _ = io.WriteString(os.Stdout, "not connected")
		return
	}
	_, _ = io.WriteString(c, "GET /v1/health HTTP/1.0\r\n\r\n") // a refusal may come first
	answer, _ := io.ReadAll(c)                                  // a refusal is a closed connection
	_, _ = os.Stdout.Write(answer)
}

// TestAnotherUser: another user is refused, by the kernel's word and not by the
// socket's mode, which is opened here on purpose.
func TestAnotherUser(t *testing.T) {
	users := map[int]string{os.Geteuid(): "HTTP/1.0 200 OK"}
	if os.Geteuid() == 0 { // else there is no way to be somebody else
		users[65534] = ""
	}
	path, _ := start(t)
	ask := program(t, filepath.Dir(path))
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	for uid, want := range users {
		var out bytes.Buffer
		cmd := as(uid, ask, asker+"="+path)
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(out.String(), "\r\n"); first != want {
			t.Errorf("user %d: %q, want %q", uid, first, want)
		}
	}
}

// program copies the test binary into a folder that everybody may enter.
func program(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "program")
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(file, self, 0o755)
	}
	for ; err == nil && dir != os.TempDir(); dir = filepath.Dir(dir) {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// as makes a command that a user runs.
func as(uid int, program, environ string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Env, cmd.Dir = []string{environ}, "/"
	if uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	return cmd
}

// squat tells on standard output when it listens, and what it was asked.
func squat(path string) {
	l, err := net.Listen("unix", path)
	if err == nil {
		err = os.Chmod(path, 0o666)
	}
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(os.Stdout, "listens\n")
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(os.Stdout, "was asked "+r.URL.String()+"\n")
		_, _ = io.WriteString(w, `{"profile":"a","profiles":["a"],"server":"https://mcp.test/mcp","headers":{"Authorization":"Bearer theirs"}}`)
	}))
}

// TestSquatter: another user who got to the socket's path first is neither
// asked nor believed. One's own process is, which shows that it was well asked.
func TestSquatter(t *testing.T) {
	users := map[int]bool{os.Geteuid(): true}
	if os.Geteuid() == 0 { // else there is no way to be somebody else
		users[65534] = false
	}
	for uid, trusted := range users {
		dir := t.TempDir()
		file := program(t, dir)
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "s")
		cmd := as(uid, file, squatter+"="+path)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		said := bufio.NewReader(out)
		if _, err := said.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		c, err := (&agent.Client{Socket: path}).Lend(t.Context(), "a", 0, "")
		switch {
		case trusted && (err != nil || c.Token.Access != "theirs"):
			t.Errorf("user %d: %v", uid, err)
		case !trusted && (!errors.Is(err, secrets.ErrUnavailable) || oauth.Temporary(err) || !strings.Contains(err.Error(), "belongs to user 65534")):
			t.Errorf("user %d: %v", uid, err)
		}
		_ = cmd.Process.Kill() // it runs until then
		if text, _ := io.ReadAll(said); !trusted && len(text) > 0 {
			t.Errorf("the squatter %s", text)
		}
		_ = cmd.Wait() // it was killed
	}
}
