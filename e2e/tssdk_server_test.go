//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// startStatelessSDK starts a server of the second TypeScript SDK behind an
// authorization server, and returns its URL.
func startStatelessSDK(t *testing.T, legacy, mode string) string {
	t.Helper()
	modules, err := provide("tssdk")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("tssdk/server.mjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, legacy, mode)
	cmd.Env = append(os.Environ(), "TSSDK="+modules)
	output := newOutputBuffer()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	line := output.await(t, regexp.MustCompile(`listening on \d+`))
	return requireToken(t, "127.0.0.1:"+strings.TrimPrefix(line, "listening on "))
}

// TestStatelessTypeScriptSDK calls a tool of a server of the second TypeScript SDK with
// the test command, with each protocol version and response mode of that SDK.
func TestStatelessTypeScriptSDK(t *testing.T) {
	t.Parallel()
	for _, legacy := range []string{"stateless", "reject"} {
		for _, mode := range []string{"json", "sse"} {
			t.Run(legacy+"/"+mode, func(t *testing.T) {
				t.Parallel()
				h := newHome(t)
				h.want(0, "login", "box", startStatelessSDK(t, legacy, mode))
				recordTokens(h.token("box"))
				for _, version := range []string{"", "2026-07-28", "2025-11-25"} {
					args := []string{"test", "box", "--call", "add", "--args", `{"a":2,"b":3}`, "--protocol", version}
					if legacy == "reject" && version == "2025-11-25" {
						if got := h.want(1, args...); !strings.Contains(got.stderr, "no protocol version was agreed on") || !strings.Contains(got.stderr, "--protocol VERSION") {
							t.Errorf("%s", got.stderr)
						}
						continue
					}
					got := h.want(0, args...)
					if want := "second-sdk 2, protocol " + version; !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, "add answered\n  5\n") {
						t.Errorf("%s", got.stdout)
					}
				}
				if got := h.want(1, "test", "box", "--call", "ad"); !strings.Contains(got.stderr, `the server lists no tool "ad"`) || !strings.Contains(got.stderr, "hint: mcp-login test box --call add\n") {
					t.Errorf("%s", got.stderr)
				}
			})
		}
	}
}
