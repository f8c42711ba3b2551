package suggest

import "testing"

// TestWindowsHasItsOwnCommands: commands that differ on Windows are for PowerShell.
func TestWindowsHasItsOwnCommands(t *testing.T) {
	token := MCPLogin("token", "a")
	for _, tt := range []struct{ got, want string }{
		{assignIn("sh", "TOKEN", token), "TOKEN=$(mcp-login token a)"},
		{assignIn("powershell", "TOKEN", token), "$TOKEN = mcp-login token a"},
		{privateIn("sh", token, "FILE"), "(umask 077; mcp-login token a > FILE)"},
		{privateIn("powershell", token, "FILE"), "mcp-login token a | Set-Content FILE"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
}
