package main

import (
	"testing"

	"github.com/mcp-login/mcp-login/internal/help"
)

// TestFlagsAreDeclaredOnce: a flag of several commands has one meaning, because all
// of them share its environment variable and its configuration key.
func TestFlagsAreDeclaredOnce(t *testing.T) {
	differ := map[string]string{
		"for":          "a client in client-config, a time in unlock; neither has a variable",
		"force":        "what is replaced differs; it has no variable",
		"json":         "login prints events; it has no variable",
		"remove":       "an entry in client-config, units of a service manager in agent; it has no variable",
		"yes":          "what is confirmed differs; it has no variable",
		"client-name":  "one registers the name, the other prints it",
		"listen":       "one serves clients here, the other browsers",
		"login":        "one signs in before it prints, the other before it serves",
		"redirect-url": "one is the address of a sign-in, the other all that a document allows",
	}
	e, _, _ := testEnv(t)
	first := map[string]help.Flag{}
	for _, l := range leaves(e) {
		for _, f := range l.Flags {
			d := describeFlag(f).Help()
			d.Group = "" // it may be common in only one command
			known, seen := first[d.Name]
			if !seen {
				first[d.Name] = d
				continue
			}
			if _, allowed := differ[d.Name]; known != d && !allowed {
				t.Errorf("%s --%s is described as %q, and in another command as %q: declare it once", l.name(), d.Name, d.About, known.About)
			}
		}
	}
	for name := range differ {
		if _, seen := first[name]; !seen {
			t.Errorf("no command has --%s", name)
		}
	}
}
