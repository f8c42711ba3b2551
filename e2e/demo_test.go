//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs the tour of "make demo" without a terminal.
func TestDemo(t *testing.T) {
	t.Parallel()
	demo := filepath.Join(t.TempDir(), "demo")
	if err := build(demo, "..", "./examples/demo"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, demo, "-run", program, "-auto-approve", "1s", "-interval", "1s").CombinedOutput()
	if err != nil {
		t.Fatalf("the demo failed: %v\n%s", err, out)
	}
	if text := string(out); !strings.Contains(text, "Done: every step worked.") || !strings.Contains(text, "The server approves by itself after 1s.") || strings.Contains(text, "demo_at_") || strings.Contains(text, "demo_rt_") {
		t.Errorf("the demo did not finish, or printed a token:\n%s", text)
	}
}
