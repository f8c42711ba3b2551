package confirmed_test

import (
	"path/filepath"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/confirmed"
)

// TestNotes: a note confirms only its own demand, until it is removed.
func TestNotes(t *testing.T) {
	notes := confirmed.Notes{Dir: filepath.Join(t.TempDir(), "confirmed")}
	c := mcplogin.Credential{Profile: "a", Server: "https://mcp.example.com/mcp", Flow: "jwt-bearer"}
	c.Login.Inputs.Assertion = "file:/assertion"
	other := c
	other.Login.Inputs.Assertion = "command:other"
	has := func(c mcplogin.Credential, want bool) {
		t.Helper()
		if known, err := notes.Has(confirmed.Of(c)); err != nil || known != want {
			t.Errorf("%s: %v, %v; want %v", c.Login.Inputs.Assertion, known, err, want)
		}
	}
	has(c, false)
	if err := notes.Add(confirmed.Of(c)); err != nil {
		t.Fatal(err)
	}
	has(c, true)
	has(other, false)
	if err := notes.Remove(confirmed.Of(other)); err != nil {
		t.Fatal(err)
	}
	has(c, true)
	if err := notes.Remove(confirmed.Of(c)); err != nil {
		t.Fatal(err)
	}
	has(c, false)
}
