package proxy

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// TestQuestion: Claude Code shows only one line of the prompt, with 73 characters
// in a terminal of 80 columns. The server and the code are in it.
func TestQuestion(t *testing.T) {
	s := &SignIn{Machine: "build-host-17"}
	const plain = "https://login.example.com/device"
	for _, tt := range []struct {
		page proxystate.Page
		want string
	}{
		{proxystate.Page{URL: plain + "?user_code=WDJB-MJHT", Plain: plain, Code: "WDJB-MJHT"},
			"Sign in to mcp.subsidiary.example.com with the code WDJB-MJHT. Requested by mcp-login on build-host-17. Approve only if you started this sign-in yourself and the page shows this code."},
		{proxystate.Page{URL: plain, Plain: plain, Code: "WDJB-MJHT"},
			"Sign in to mcp.subsidiary.example.com with the code WDJB-MJHT. Enter the code on the page. Requested by mcp-login on build-host-17. Approve only if you started this sign-in yourself and the page shows this code."},
		{proxystate.Page{URL: plain},
			"Sign in to mcp.subsidiary.example.com. Requested by mcp-login on build-host-17. Approve only if you started this sign-in yourself."},
	} {
		tt.page.Server = "mcp.subsidiary.example.com"
		got := s.elicitationText(tt.page)
		if line := got[:73]; got != tt.want || !strings.Contains(line, tt.page.Server) || !strings.Contains(line, tt.page.Code) {
			t.Errorf("%+v: %q, want %q", tt.page, got, tt.want)
		}
	}
}
