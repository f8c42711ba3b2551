package terminal_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// TestInput: a read of standard input that blocks ends with the context.
func TestInput(t *testing.T) {
	if got, err := io.ReadAll(terminal.Streams{In: strings.NewReader("text")}.Input(t.Context())); string(got) != "text" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	blocked, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := io.ReadAll(terminal.Streams{In: blocked}.Input(ctx)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
