package shellscript_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/shellscript"
)

// TestEveryShellHasItsScripts: exactly the listed shells have a script.
func TestEveryShellHasItsScripts(t *testing.T) {
	for _, shell := range append(shellscript.CompletionShells(), "pwsh") {
		if script, ok := shellscript.Completion(shell); !ok || !strings.Contains(string(script), "__complete") {
			t.Errorf("%s: %v, %q", shell, ok, script)
		}
	}
	for _, shell := range shellscript.HookShells() {
		script, ok := shellscript.Hook(shell, 1500*time.Millisecond, []string{"--store", `a'b\c`})
		if !ok || strings.Contains(string(script), "@") && strings.Contains(string(script), "@FLAGS@") || !strings.Contains(string(script), " --store 'a") {
			t.Errorf("%s: %v, %s", shell, ok, script)
		}
	}
	if _, ok := shellscript.Completion("tcsh"); ok {
		t.Error("tcsh completes")
	}
	if _, ok := shellscript.Hook("powershell", time.Second, nil); ok {
		t.Error("powershell has a hook")
	}
}
