package report_test

import (
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/report"
)

// TestTableNamesEachStoreOnce: the path of the store is wide, and rows that end with it
// break on a narrow screen.
func TestTableNamesEachStoreOnce(t *testing.T) {
	row := func(name, store string) report.Credential {
		return report.Credential{Status: mcplogin.Status{Profile: name, Server: "https://mcp.test/mcp", State: mcplogin.StateValid}, Store: store}
	}
	const home = "file:/home/ada/.local/share/mcp-login"
	if got := report.Table([]report.Credential{row("a", home), row("b", home)}, nil).String(); strings.Count(got, home) != 1 || strings.Contains(got, "STORE") {
		t.Errorf("one store:\n%s", got)
	}
	if got := report.Table([]report.Credential{row("a", home), row("b", "keyring:")}, nil).String(); !strings.Contains(got, home+"\n") || !strings.Contains(got, "keyring:\n") || !strings.Contains(got, "STORE") {
		t.Errorf("two stores:\n%s", got)
	}
}
