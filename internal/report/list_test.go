package report_test

import (
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/report"
)

// TestTableNamesTheStoreOnce: the path of the store is long, and would wrap every
// row on a narrow screen.
func TestTableNamesTheStoreOnce(t *testing.T) {
	row := func(name, store string) report.Credential {
		return report.Credential{Status: mcplogin.Status{Profile: name, Server: "https://mcp.test/mcp", State: mcplogin.StateValid}, Store: store}
	}
	const home = "file:/home/ada/.local/share/mcp-login"
	if got := report.Table([]report.Credential{row("a", home), row("b", home)}, nil, func(path string) string { return path }).String(); strings.Count(got, home) != 1 || strings.Contains(got, "STORE") {
		t.Errorf("one store:\n%s", got)
	}
}
