package agentd

import (
	"context"
	"errors"

	"github.com/mcp-login/mcp-login/agent"
)

// Running returns the health of the agent at a socket, and false with the error where
// none runs.
func Running(ctx context.Context, socket string) (h agent.Health, runs bool, err error) {
	h, err = (&agent.Client{Socket: socket}).Health(ctx)
	return h, !errors.Is(err, agent.ErrNotRunning), err
}

// Stop ends the agent at a socket, and returns when it has ended.
func Stop(ctx context.Context, socket string) error { return (&agent.Client{Socket: socket}).Stop(ctx) }
