package envexport_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/envexport"
)

// TestFailure: a shell whose eval would hide a failure gets a command that fails;
// for any other format the output is empty.
func TestFailure(t *testing.T) {
	want := map[envexport.Format]string{
		envexport.Sh:         "(exit 4)\n",
		envexport.Fish:       "sh -c 'exit 4'\n",
		envexport.PowerShell: "throw 'mcp-login: exit code 4'\n",
	}
	for _, f := range envexport.Formats() {
		if got := envexport.Failure(f, 4); got != want[f] {
			t.Errorf("Failure(%s, 4) = %q, want %q", f, got, want[f])
		}
	}
}
