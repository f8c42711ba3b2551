//go:build unix && !darwin

package keyring_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

var (
	_ file.Keeper    = keyring.Keeper{}
	_ file.Forgetter = keyring.Keeper{}
)

// wantUnavailable checks that every call fails with the given reason. The reason
// differs between a call that fails immediately and one that times out.
func wantUnavailable(t *testing.T, k keyring.Keeper, reason string) {
	t.Helper()
	_, keepErr := k.Keep(t.Context(), "id", []byte("key"))
	_, keyErr := k.Key(t.Context(), "id", nil)
	for method, err := range map[string]error{
		"Keep": keepErr, "Key": keyErr, "Forget": k.Forget(t.Context(), "id"), "Probe": k.Probe(t.Context()),
	} {
		if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s = %v, want ErrUnavailable and %q", method, err, reason)
		}
	}
}

func TestNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "no-such-bus"))
	wantUnavailable(t, keyring.Keeper{Timeout: time.Hour}, "the OS keyring cannot be used: no desktop session is running here")
}

// TestHangingBus: a bus that accepts connections and never responds.
func TestHangingBus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	bus, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close() // ends the calls that still wait for a response
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+path)
	wantUnavailable(t, keyring.Keeper{Timeout: 50 * time.Millisecond}, "did not answer within 50ms")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (keyring.Keeper{}).Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Probe with an ended context = %v, want context.Canceled", err)
	}
}
