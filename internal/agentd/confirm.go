package agentd

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/agent"
)

// endKey finds in a request's context the one whose end is the agent's.
type endKey struct{}

// errEnding answers who waits for a person when the agent is to end. Nobody
// said no, so the next agent may be asked.
var errEnding = errors.New("the agent is ending")

// confirm has a person asked, if one is to be. Requests that have begun may end
// after the agent was told to, but not by waiting for a person.
func (d door) confirm(ctx context.Context, r Request) error {
	ask := d.agent.cfg.Confirm
	if ask == nil {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if run, ok := ctx.Value(endKey{}).(context.Context); ok {
		defer context.AfterFunc(run, func() { cancel(errEnding) })()
	}
	err := ask(ctx, r)
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errEnding):
		return errEnding
	}
	return fmt.Errorf("%w: %w", agent.ErrDenied, err)
}
