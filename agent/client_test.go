//go:build linux || darwin || freebsd

package agent_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestHostileAgent: the process at the socket may not be an agent, or may be hostile.
func TestHostileAgent(t *testing.T) {
	for name, body := range map[string]string{
		"not JSON":       "hello",
		"missing token":  `{"server":"https://mcp.test/mcp","headers":{}}`,
		"another scheme": `{"server":"https://mcp.test/mcp","headers":{"Authorization":"Basic abc"}}`,
		"a line break":   `{"server":"https://mcp.test/mcp","headers":{"Authorization":"Bearer a\nb"}}`,
		"bad server":     `{"server":"ftp://mcp.test","headers":{"Authorization":"Bearer abc"}}`,
		"bad names":      `{"profile":"b","profiles":["a\u0000b"]}`,
		"bad health":     `{"status":"ok","profiles":{"a\u0000b":{}}}`,
	} {
		path := filepath.Join(t.TempDir(), "s")
		l, remove, err := privsock.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })}
		go srv.Serve(l)
		c := &agent.Client{Socket: path}
		_, issue := c.Issue(t.Context(), "a", 0, "")
		_, status := c.Status(t.Context(), "a", 0)
		_, health := c.Health(t.Context())
		for _, err := range []error{issue, status, health} {
			if !errors.Is(err, oauth.ErrAnswer) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if names, err := c.Profiles(t.Context()); !errors.Is(err, oauth.ErrAnswer) && len(names) > 0 {
			t.Errorf("%s: %q, %v", name, names, err)
		}
		srv.Close()
		remove()
	}
}

// TestNoAnswer: the error is in terms of this program, and it is temporary.
func TestNoAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, remove, err := privsock.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	defer l.Close()
	go func() {
		for i := 0; ; i++ {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			if i%2 == 0 { // otherwise the request is not read, and the connection is reset
				_, _ = c.Read(make([]byte, 4096))
			}
			c.Close()
		}
	}()
	c := &agent.Client{Socket: path}
	for range 20 {
		_, err := c.Issue(t.Context(), "a", 0, "")
		if want := "no answer from the agent at " + path + ": the agent has stopped, or serves only another user"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if !errors.Is(err, secrets.ErrTemporary) {
			t.Errorf("%v is not temporary", err)
		}
	}
}
