package main

import (
	"context"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// listened is a context that knows whether Done was called, so that the program listens
// for signals.
type listened struct {
	context.Context
	yes *bool
}

func (c listened) Done() <-chan struct{} {
	*c.yes = true
	return c.Context.Done()
}

// TestListensForSignals: shells, agents and CI steps run some commands all the time,
// nearly always with a valid token. These do not pay for listening; all others listen
// from the beginning.
func TestListensForSignals(t *testing.T) {
	for line, want := range map[string]bool{
		"env demo": false, "token demo": false, "headers demo": false, "list": false, "version": false,
		"status": true, "clear --expired": true, "completion bash": true, "store status": true,
	} {
		t.Run(line, func(t *testing.T) {
			j, got := newCIJob(t), false
			if code := run(listened{t.Context(), &got}, strings.Fields(line), &j.env().env); code != exit.Done {
				t.Errorf("exit code %d: %s", code, j.err.String())
			}
			if got != want {
				t.Errorf("listens: %t", got)
			}
		})
	}
}
