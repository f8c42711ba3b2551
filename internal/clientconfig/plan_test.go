package clientconfig

import (
	"strings"
	"testing"
)

// TestPlanHidesSecrets: users paste the plan of a migration into bug reports, so it
// contains no secrets of the old or the new command.
func TestPlanHidesSecrets(t *testing.T) {
	var servers []Server
	for _, words := range []string{"--header X-Key:s3cret", "--header Authorization:s3cret", `--static-oauth-client-info {"client_id":"x","client_secret":"s3cret"}`} {
		servers = append(servers, Server{Name: "n", Command: strings.Fields("npx mcp-remote https://mcp.example.com/mcp " + words)})
	}
	all := Migrations(servers, "mcp-login")
	plan := Plan(all)
	if strings.Contains(plan, "s3cret") || strings.Count(plan, "[redacted]") != 4 {
		t.Error(plan)
	}
	if !strings.Contains(strings.Join(all[0].Proxy, " "), "X-Key: s3cret") {
		t.Errorf("the new entry is %q", all[0].Proxy)
	}
}
