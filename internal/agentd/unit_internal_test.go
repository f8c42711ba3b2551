package agentd

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// TestInstallWithoutSystemd: without systemd, the hint suggests what works on that
// system.
func TestInstallWithoutSystemd(t *testing.T) {
	for goos, want := range map[string]exit.Error{
		"darwin":  {Text: "agent install is for systemd alone", Hint: "run it without a service manager: mcp-login agent --background"},
		"windows": {Text: "the agent does not run on Windows", Hint: "mcp-login store status"},
		"freebsd": {Text: "agent install is for systemd alone", Hint: "run it without a service manager: mcp-login agent --background"},
	} {
		e, ok := checkSystemd(goos).(*exit.Error)
		if !ok || e.Code != exit.Failed || !strings.Contains(e.Text, want.Text) || e.Hint != want.Hint {
			t.Errorf("%s: %+v", goos, e)
		}
	}
}
