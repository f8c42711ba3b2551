//go:build linux

package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestAgentTerminalGone: a foreground agent stops when its terminal closes, but not
// on a SIGHUP that means reload, and not under nohup.
func TestAgentTerminalGone(t *testing.T) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // otherwise the children ignore SIGHUP too if the tests run under nohup
	defer signal.Stop(hangups)
	srv := httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}})
	defer srv.Close()
	dir := t.TempDir()
	program := filepath.Join(dir, "mcp-login")
	if err := os.Symlink(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	environ := append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+filepath.Join(dir, "run"))
	login := exec.Command(program, "login", "a", srv.URL+"/mcp")
	login.Env = environ
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	socket := filepath.Join(dir, "run/mcp-login/agent.sock")
	for shell, ends := range map[string]bool{"": true, "trap '' HUP; ": false} {
		logFile := filepath.Join(t.TempDir(), "log")
		agent := exec.Command("sh", "-c", shell+"exec mcp-login agent --log-level info 2>"+logFile)
		agent.Env = append(environ, "PATH="+dir+":"+os.Getenv("PATH"))
		master, err := pty.Start(agent)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = agent.Process.Kill() }) // it may have exited
		exited := make(chan error, 1)
		go func() { exited <- agent.Wait() }()
		waitForText(t, logFile, "next: export", 1)
		if err := agent.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		waitForText(t, logFile, "reloaded", 1)
		if err := master.Close(); err != nil {
			t.Fatal(err)
		}
		if !ends { // it treats the hangup as a request to reload
			waitForText(t, logFile, "reloaded", 2)
			if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
				t.Errorf("with %q it ended: %v", shell, err)
			}
		}
		if err := await.Receive(t, "the end of the agent", exited); err != nil {
			t.Errorf("with %q it ended: %v", shell, err)
		}
		if _, err := os.Lstat(socket); err == nil {
			t.Error("the socket was not removed")
		}
	}
}

// waitForText waits until a file contains a text n times.
func waitForText(t *testing.T, file, want string, n int) {
	t.Helper()
	var text []byte
	if !await.Until(func() bool {
		text, _ = os.ReadFile(file) // not yet written
		return strings.Count(string(text), want) >= n
	}) {
		t.Fatalf("did not find %d times %q in %s", n, want, text)
	}
}
