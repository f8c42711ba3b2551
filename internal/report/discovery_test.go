package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/oauth"
)

// TestDiscoverMarksGuesses: an endpoint that is not published is not reported as
// offered.
func TestDiscoverMarksGuesses(t *testing.T) {
	found := mcplogin.Discovery{Server: "https://mcp.test/mcp", Servers: []oauth.Server{{Issuer: "https://mcp.test", RegistrationEndpoint: "https://mcp.test/register", Guessed: true}}}
	text := report.Discover(found, nil, flows.Detection{}).Text().String()
	if !strings.Contains(text, "guess     the server publishes no metadata") || strings.Contains(text, "yes") || !strings.Contains(text, "perhaps") {
		t.Errorf("text:\n%s", text)
	}
}

// TestDiscoverNamesHostsThatLeaveTheIssuer: discover lists hosts outside of the
// issuer's domain, before any sign-in.
func TestDiscoverNamesHostsThatLeaveTheIssuer(t *testing.T) {
	found := mcplogin.Discovery{Server: "https://mcp.example.com/mcp", Servers: []oauth.Server{
		{Issuer: "https://as.example.com", AuthorizationEndpoint: "https://login.example.com/authorize", TokenEndpoint: "https://as.example.com/token"},
		{Issuer: "https://as.example.com", AuthorizationEndpoint: "https://as.example.com.evil.test/authorize", TokenEndpoint: "https://as.example.com/token"},
	}}
	const warning = "the sign-in page is on as.example.com.evil.test, but the token issuer is as.example.com"
	d := report.Discover(found, nil, flows.Detection{})
	if text := d.Text().String(); strings.Count(text, "warning") != 1 || !strings.Contains(text, "\nwarning   "+warning+"\n") {
		t.Errorf("text:\n%s", text)
	}
	line, err := json.Marshal(d.Servers[1])
	if err != nil || !strings.Contains(string(line), `"sign_in":"as.example.com.evil.test"`) || !strings.Contains(string(line), `"warning":"`+warning+`"`) {
		t.Errorf("JSON: %s, %v", line, err)
	}
	if d.Servers[0].Warning != "" {
		t.Errorf("warning of hosts in one domain: %s", d.Servers[0].Warning)
	}
}
