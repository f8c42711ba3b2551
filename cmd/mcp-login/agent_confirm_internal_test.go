//go:build linux

package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mcp-login/mcp-login/agent"
)

// TestConfirm answers the agent's question at a real terminal.
func TestConfirm(t *testing.T) {
	person, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	e, _, _ := testEnv(t)
	e.tty = func() (*os.File, error) { return terminal, nil }
	c, err := newConfirmer(e)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan string, 100)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := person.Read(buf)
			if err != nil {
				return
			}
			shown <- string(buf[:n])
		}
	}()
	ask := func(ctx context.Context, typed string) error {
		t.Helper()
		done := make(chan error)
		go func() {
			done <- c.confirm(ctx, agent.Request{Socket: "forward", Profile: "notion", Peer: agent.Peer{PID: 7, Exe: "/bin/\x1b[2Jcurl"}})
		}()
		const question = "hand out notion to /bin/"
		for text := ""; !strings.Contains(text, "[y/N] "); {
			select {
			case more := <-shown:
				text += more
			case <-time.After(10 * time.Second):
				t.Fatalf("no question, only %q", text)
			}
			if strings.Contains(text, "[y/N] ") && (!strings.Contains(text, question) || strings.Contains(text, "\x1b")) {
				t.Errorf("question %q", text)
			}
		}
		if typed != "" {
			if _, err := io.WriteString(person, typed); err != nil {
				t.Fatal(err)
			}
		}
		return <-done
	}
	if _, err := io.WriteString(person, "y\n"); err != nil { // typed before anybody asked
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	for typed, yes := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "why?\n": false} {
		if err := ask(t.Context(), typed); (err == nil) != yes {
			t.Errorf("%q: %v", typed, err)
		}
	}
	gone, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := ask(gone, ""); err == nil {
		t.Error("silence was taken for yes")
	}
	c.close()
}
