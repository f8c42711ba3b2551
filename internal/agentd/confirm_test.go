//go:build linux || darwin || freebsd

package agentd_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestStopDuringConfirmation: an agent that stops does not wait for a confirmation,
// and the client gets an error.
func TestStopDuringConfirmation(t *testing.T) {
	prompted := make(chan struct{})
	l := startTestAgent(t, func(c *agentd.Config) {
		c.Confirm = func(ctx context.Context, _ agentd.Request) error {
			close(prompted)
			<-ctx.Done()
			return errors.New("nobody answered")
		}
	}, "a")
	answer := make(chan error, 1)
	go func() {
		_, err := (&agent.Client{Socket: l.path}).Issue(t.Context(), "a", 0, "")
		answer <- err
	}()
	<-prompted
	l.stop() // an agent that waited for the answer would close the connection without a response
	if err := <-answer; !errors.Is(err, secrets.ErrTemporary) || !strings.Contains(err.Error(), "the agent is stopping") {
		t.Errorf("the client got %v", err)
	}
}
