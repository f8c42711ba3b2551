package agentd

import (
	"context"
	"errors"

	"github.com/mcp-login/mcp-login/agent"
)

// Running returns the health of the agent at a socket; false and the error if no
// agent is running.
func Running(ctx context.Context, socket string) (h agent.Health, runs bool, err error) {
	h, err = (&agent.Client{Socket: socket}).Health(ctx)
	return h, !errors.Is(err, agent.ErrNotRunning), err
}

// Stop stops the agent at a socket, and returns when its process has exited.
func Stop(ctx context.Context, socket string) error { return (&agent.Client{Socket: socket}).Stop(ctx) }
