//go:build linux || darwin || freebsd

package agentd_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestStopThroughASocket: a client can stop the agent through its main socket, but
// not through a limited one, which may be forwarded to another host.
func TestStopThroughASocket(t *testing.T) {
	dir := t.TempDir()
	main, limited := filepath.Join(dir, "own"), filepath.Join(dir, "lent")
	sockets, remove, err := agentd.ListenAll(main, limited, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a, err := agentd.New(agentd.Config{
		Profiles: func(context.Context) ([]string, error) { return nil, nil },
		Session:  mcplogin.Config{Source: mcplogin.Stored(&secrets.Memory{})}, End: stop,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, sockets...) }()
	if err := (&agent.Client{Socket: limited}).Stop(t.Context()); !errors.Is(err, agent.ErrDenied) || ctx.Err() != nil {
		t.Errorf("through the limited socket: %v, ended: %v", err, ctx.Err())
	}
	if h, err := (&agent.Client{Socket: limited}).Health(t.Context()); err != nil || h.PID != 0 {
		t.Errorf("the limited socket shows %+v, %v", h, err)
	}
	// The response is complete when the process ends, which is this test's: nothing
	// waits for it here.
	answered, cancel := context.WithCancel(t.Context())
	defer cancel()
	go (&agent.Client{Socket: main}).Stop(answered)
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	remove()
	if _, err := (&agent.Client{Socket: main}).Health(t.Context()); !errors.Is(err, agent.ErrNotRunning) || !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("where no agent runs: %v", err)
	}
}
