package agent_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/otheruser"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// listenEnv is the environment variable that makes the test binary listen at that
// socket and respond like an agent.
const listenEnv = "MCP_LOGIN_TEST_SQUAT"

func TestMain(m *testing.M) {
	if path := os.Getenv(listenEnv); path != "" {
		listenAsAgent(path)
		return
	}
	os.Exit(m.Run())
}

// listenAsAgent reports on standard output when it listens, and each request that it
// receives.
func listenAsAgent(path string) {
	l, err := net.Listen("unix", path)
	if err == nil {
		err = os.Chmod(path, 0o666)
	}
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(os.Stdout, "listens\n")
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(os.Stdout, "received "+r.URL.String()+"\n")
		_, _ = io.WriteString(w, `{"profile":"a","profiles":["a"],"server":"https://mcp.test/mcp","headers":{"Authorization":"Bearer theirs"}}`)
	}))
}

// TestSquatter: the client neither sends a request to a socket of another user nor
// trusts its responses. A socket of the same user is trusted, which shows that the
// request itself is valid.
func TestSquatter(t *testing.T) {
	users := map[int]bool{os.Geteuid(): true}
	if os.Geteuid() == 0 { // only root can start a process of another user
		users[otheruser.Nobody] = false
	}
	for uid, trusted := range users {
		dir := t.TempDir()
		file := otheruser.Program(t, dir)
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "s")
		cmd := exec.Command(file)
		cmd.Env, cmd.Dir, cmd.SysProcAttr = []string{listenEnv + "=" + path}, "/", otheruser.Attributes(uid)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		output := bufio.NewReader(out)
		if _, err := output.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		c, err := (&agent.Client{Socket: path}).Issue(t.Context(), "a", 0, "")
		switch {
		case trusted && (err != nil || c.Token.Access != "theirs"):
			t.Errorf("user %d: %v", uid, err)
		case !trusted && (!errors.Is(err, secrets.ErrUnavailable) || oauth.Temporary(err) || !strings.Contains(err.Error(), "belongs to user 65534")):
			t.Errorf("user %d: %v", uid, err)
		}
		_ = cmd.Process.Kill() // it runs until it is killed
		if text, _ := io.ReadAll(output); !trusted && len(text) > 0 {
			t.Errorf("the squatter %s", text)
		}
		_ = cmd.Wait() // it was killed
	}
}
