package agent_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asker, if set, makes the test binary a program that connects to that socket
// and says how it was received.
const asker = "MCP_LOGIN_TEST_ASK"

func TestMain(m *testing.M) {
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
	ask := filepath.Join(filepath.Dir(path), "ask")
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(ask, self, 0o755)
	}
	for dir := filepath.Dir(path); err == nil && dir != os.TempDir(); dir = filepath.Dir(dir) {
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		err = os.Chmod(path, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	for uid, want := range users {
		var out bytes.Buffer
		cmd := exec.Command(ask)
		cmd.Env = []string{asker + "=" + path}
		cmd.Stdout, cmd.Dir = &out, "/"
		if uid != os.Geteuid() {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
		}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(out.String(), "\r\n"); first != want {
			t.Errorf("user %d: %q, want %q", uid, first, want)
		}
	}
}
