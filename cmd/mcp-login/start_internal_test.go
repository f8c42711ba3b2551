package main

import (
	"context"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// neverWaited is a context whose end a command must not wait for.
type neverWaited struct {
	context.Context
	t *testing.T
}

func (c neverWaited) Done() <-chan struct{} {
	c.t.Error("a command with a valid token waits, so the program has to listen for signals")
	return c.Context.Done()
}

// TestValidTokenIsNotWaitedFor: shells, agents and CI steps start these commands all the
// time, nearly always with a valid token.
func TestValidTokenIsNotWaitedFor(t *testing.T) {
	for _, args := range [][]string{{"env", "demo"}, {"token", "demo"}, {"headers", "demo"}, {"list"}} {
		t.Run(args[0], func(t *testing.T) {
			j := newCIJob(t)
			if code := run(neverWaited{t.Context(), t}, args, &j.env().env); code != exit.Done {
				t.Errorf("exit code %d: %s", code, j.err.String())
			}
		})
	}
}
