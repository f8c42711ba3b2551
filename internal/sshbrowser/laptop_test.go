package sshbrowser_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/sshbrowser"
)

// TestPrepareRemote: the remote host responds with the path of a socket, or saves a
// port with its secret and prints nothing.
func TestPrepareRemote(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "laptops")
	answer, err := sshbrowser.PrepareRemote(dir, 0, strings.NewReader(""))
	if err != nil || !strings.HasSuffix(answer, "\n") {
		t.Fatalf("%q, %v", answer, err)
	}
	if runtime.GOOS != "windows" && filepath.Dir(strings.TrimSpace(answer)) != dir {
		t.Errorf("the socket %q is not in %s", answer, dir)
	}
	if answer, err := sshbrowser.PrepareRemote(dir, 20001, strings.NewReader(strings.Repeat("s", 26)+"\n")); answer != "" || err != nil {
		t.Errorf("a port: %q, %v", answer, err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
		t.Errorf("%d saved ports, %v", len(entries), err)
	}
	for _, secret := range []string{"", "short\n"} {
		if _, err := sshbrowser.PrepareRemote(dir, 20001, strings.NewReader(secret)); err == nil {
			t.Errorf("the secret %q was accepted", secret)
		}
	}
}

// TestForget: forgetting twice is not an error.
func TestForget(t *testing.T) {
	memory := filepath.Join(t.TempDir(), "hosts.json")
	h := sshbrowser.NewHelper(nil, "devbox", memory, func(string, ...any) {})
	if err := h.Memory.Keep("https://as.example"); err != nil || !h.Memory.Knows("https://as.example") {
		t.Fatalf("not kept: %v", err)
	}
	for range 2 {
		if err := sshbrowser.Forget(memory); err != nil || h.Memory.Knows("https://as.example") {
			t.Errorf("not forgotten: %v", err)
		}
	}
}

// TestNewHelper: a helper for any host remembers nothing, because it does not know
// which host sent a request.
func TestNewHelper(t *testing.T) {
	open := func(context.Context, string) error { return nil }
	var messages []string
	h := sshbrowser.NewHelper(open, "", "unused", func(format string, _ ...any) { messages = append(messages, format) })
	if h.Memory != nil || h.From == "" || h.Local {
		t.Errorf("%+v", h)
	}
	h.Asked("https://as.example", nil)
	h.Asked("", errors.New("no"))
	if len(messages) != 2 || !strings.HasPrefix(messages[0], "opened") || !strings.HasPrefix(messages[1], "rejected") {
		t.Errorf("%q", messages)
	}
	if h := sshbrowser.NewHelper(open, "localhost", "unused", nil); !h.Local || h.From != "localhost" {
		t.Errorf("%+v", h)
	}
}

// TestLinkUsage: the printed commands can be pasted.
func TestLinkUsage(t *testing.T) {
	lines := sshbrowser.Link{Remote: 20001, Local: 20002}.Usage("devbox")
	if lines[0] != "next: ssh -R 127.0.0.1:20001:127.0.0.1:20002 devbox" || lines[len(lines)-1] != "        RemoteForward 127.0.0.1:20001 127.0.0.1:20002" {
		t.Errorf("%q", lines)
	}
}
