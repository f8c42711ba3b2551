package agentd_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/otheruser"
)

// connectEnv is the environment variable that makes the test binary connect to that
// socket and report the result.
const connectEnv = "MCP_LOGIN_TEST_ASK"

func TestMain(m *testing.M) {
	path := os.Getenv(connectEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		_, _ = io.WriteString(os.Stdout, "not connected")
		return
	}
	_, _ = io.WriteString(c, "GET /v1/health HTTP/1.0\r\n\r\n") // it may be rejected first
	answer, _ := io.ReadAll(c)                                  // a rejection is a closed connection
	_, _ = os.Stdout.Write(answer)
}

// TestAnotherUser: another user is rejected by the peer credentials from the
// kernel, not only by the socket's mode, which this test loosens.
func TestAnotherUser(t *testing.T) {
	users := map[int]string{os.Geteuid(): "HTTP/1.0 200 OK"}
	if os.Geteuid() == 0 { // only root can start a process of another user
		users[otheruser.Nobody] = ""
	}
	path, _ := start(t)
	ask := otheruser.Program(t, filepath.Dir(path))
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	for uid, want := range users {
		var out bytes.Buffer
		cmd := exec.Command(ask)
		cmd.Env, cmd.Dir, cmd.SysProcAttr = []string{connectEnv + "=" + path}, "/", otheruser.Attributes(uid)
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(out.String(), "\r\n"); first != want {
			t.Errorf("user %d: %q, want %q", uid, first, want)
		}
	}
}
