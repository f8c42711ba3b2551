package main

import (
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpprobe"
)

// TestFailedToolIsAnError: a script that calls a tool learns from the exit code that it
// failed.
func TestFailedToolIsAnError(t *testing.T) {
	for _, failed := range []bool{false, true} {
		err := toolError(mcpprobe.Report{Results: []mcpprobe.Result{{Tool: "a"}, {Tool: "b", IsError: failed}}})
		if (err != nil) != failed {
			t.Errorf("failed %v: %v", failed, err)
		}
	}
}
