package help_test

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/help"
)

func TestNewFlag(t *testing.T) {
	for usage, want := range map[string][2]string{
		"Print JSON":                       {"--x", "Print JSON"},
		"Trust the certificates in `FILE`": {"--x FILE", "Trust the certificates in FILE"},
		"`SCOPES` to request":              {"--x SCOPES", "Scopes to request"},
		"`URL` of the server":              {"--x URL", "URL of the server"},
		"an unbalanced ` quote":            {"--x", "an unbalanced ` quote"},
	} {
		if f := help.NewFlag("x", usage); f.Term() != want[0] || f.Text() != want[1] {
			t.Errorf("%q is %q %q, want %q", usage, f.Term(), f.Text(), want)
		}
	}
	if f := (help.Flag{About: "Wait", Default: "30s"}); f.Text() != "Wait (default: 30s)" {
		t.Errorf("text %q", f.Text())
	}
}

// TestShort: the short help has the common flags, and says where the others are.
func TestShort(t *testing.T) {
	var p help.Program
	c := help.Command{Name: "p login", Usage: "NAME [flags]", Summary: "Sign in", Examples: []string{"p login a"}, Flags: []help.Flag{
		{Name: "scope", Placeholder: "SCOPES", About: "Scopes to request", Group: help.Common, Variable: "P_SCOPE"},
		{Name: "store", Placeholder: "STORE", About: "Store", Group: "Store"},
	}}
	want := "Sign in.\n\nUSAGE\n  p login NAME [flags]\n\nEXAMPLE\n  p login a\n\nFLAGS\n  --scope SCOPES  Scopes to request\n\nRun p login --help-all for details and more flags: Store.\n"
	if got := p.Short(c, 80).String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	full := p.Full(c, 80).String()
	for _, want := range []string{"\nSTORE FLAGS\n  --store STORE  Store\n", "Each flag except --store has an environment variable, such as P_SCOPE for\n--scope."} {
		if !strings.Contains(full, want) {
			t.Errorf("no %q in\n%s", want, full)
		}
	}
	for line := range strings.Lines(p.Full(c, 40).String()) {
		if len(line) > 41 {
			t.Errorf("a line is too long: %q", line)
		}
	}
}
