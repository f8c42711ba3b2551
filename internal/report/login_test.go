package report_test

import (
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/oauth"
)

// TestStoredNamesGooglesParameters: Google issues a refresh token only with its own
// parameters.
func TestStoredNamesGooglesParameters(t *testing.T) {
	for issuer, want := range map[string]bool{"https://accounts.google.com": true, "https://as.test": false} {
		for _, renews := range []bool{true, false} {
			c := mcplogin.Credential{Profile: "a", Issuer: oauth.Server{Issuer: issuer}}
			got := strings.Join(report.Stored(c, ci.Identity{}, "", renews), "\n")
			if strings.Contains(got, "--auth-param access_type=offline") != (want && !renews) {
				t.Errorf("%s, renews %t:\n%s", issuer, renews, got)
			}
		}
	}
}
