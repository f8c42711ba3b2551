package agentd

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/agent"
)

// endKey is the context key of the context that ends with the agent.
type endKey struct{}

// errEnding is the error of a request that waits for the user when the agent
// stops. It was not denied, so the client may retry.
var errEnding = errors.New("the agent is stopping")

// confirm calls Config.Confirm. When the agent ends, requests in progress
// complete, but none waits for the user any longer.
func (h handler) confirm(ctx context.Context, r Request) error {
	ask := h.agent.cfg.Confirm
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
