package stores_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestPlain: the error of a store contains each name once, and ends with its cause.
func TestPlain(t *testing.T) {
	read := func(err error) error { return fmt.Errorf("read credential %q: read record %q: %w", "x", "x", err) }
	full := errors.New("write /s/a: no space left on device")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{read(secrets.ErrPassphrase), "wrong passphrase"},
		{read(fmt.Errorf("%w: it is empty", secrets.ErrPassphrase)), "wrong passphrase: it is empty"},
		{read(fmt.Errorf("%w: its file is truncated", secrets.ErrUndecryptable)), `read credential "x": its file is truncated`},
		{read(secrets.ErrUndecryptable), `read credential "x": record cannot be decrypted`},
		{fmt.Errorf("write credential %q: record %q: %w", "x", "x", full), `write credential "x": write /s/a: no space left on device`},
		{fmt.Errorf("test the store before signing in: use store /s: %w: %w", secrets.ErrUnavailable, full), "cannot use the store /s: write /s/a: no space left on device"},
		{fmt.Errorf("record %q: move record %q: x", "a", "b"), `record "a": move record "b": x`},
		{secrets.ErrUnavailable, "store unavailable"},
		{errors.New(`tool "x": record "x"`), `tool "x": record "x"`},
	} {
		if got := stores.Plain(tt.err.Error()); got != tt.want {
			t.Errorf("Plain(%q) = %q, want %q", tt.err, got, tt.want)
		}
	}
}
