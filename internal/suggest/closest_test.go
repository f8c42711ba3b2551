package suggest_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

func TestClosest(t *testing.T) {
	known := []string{"login", "logout", "lock", "list", "env", "exec", "status", "completion", "client-config"}
	for word, want := range map[string]string{
		"lgoin": "login", "logn": "login", "LOGIN": "login", "satus": "status", "evn": "env", "en": "env",
		"comp": "completion", "client-conf": "client-config", "x": "", "frobnicate": "", "": "", "ls": "", "bashful": "",
	} {
		if got, ok := suggest.Closest(word, known); got != want || ok != (want != "") {
			t.Errorf("Closest(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
}
