//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// hookLine is the line for each shell's startup file.
var hookLine = map[string]string{
	"bash": `eval "$(mcp-login hook bash)"`,
	"zsh":  `eval "$(mcp-login hook zsh)"`,
	"fish": `mcp-login hook fish | source`,
}

// TestHookRefreshes types into the real shells: a variable that is about to expire has
// a fresh value after the next prompt, and a prompt with nothing to refresh starts no
// process.
func TestHookRefreshes(t *testing.T) {
	o := startOIDC(t, settings{"interval": 1})
	for name, line := range hookLine {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			h.loginWithDueToken(o, "box")
			calls := h.countCalls()
			s := h.openShell(name)
			refreshes := o.observed().Refreshes
			s.enter("export MCP_BOX_TOKEN=old MCP_BOX_EXPIRES_AT=2001-01-01T00:00:00Z OTHER=kept")
			s.enter(line)
			s.enter(`printf %s,%s,%s "$MCP_BOX_TOKEN" "$MCP_BOX_EXPIRES_AT" "$MCP_BOX_URL$OTHER" >found`)
			found := strings.Split(readFile(t, filepath.Join(h.dir, "found")), ",")
			expiry, err := time.Parse(time.RFC3339, found[1])
			if err != nil || time.Until(expiry) < 50*time.Minute || !o.active(found[0]) || found[2] != "kept" {
				t.Errorf("after the next prompt: expires at %s, %v, %s, and the token is not the server's", found[1], err, found[2])
			}
			if got := o.observed().Refreshes - refreshes; got != 1 {
				t.Errorf("%d refreshes, want 1", got)
			}
			for range 3 {
				s.enter("true")
			}
			if want := []string{"hook " + name, "hook " + name + " --due MCP_BOX_EXPIRES_AT"}; !slices.Equal(calls(), want) {
				t.Errorf("calls %q, want %q", calls(), want)
			}
		})
	}
}

// TestHookFails: if nothing can be refreshed, the hook prints one line once, and unsets
// only the variables of a credential that requires a sign-in. The prompt and the exit
// status stay as they were.
func TestHookFails(t *testing.T) {
	status := map[string]string{"bash": "$?", "zsh": "$?", "fish": "$status"}
	for name, line := range hookLine {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			calls := h.countCalls()
			s := h.openShell(name)
			s.enter("export MCP_GONE_EXPIRES_AT=2001-01-01T00:00:00Z MCP_GONE_TOKEN=old MCP_ODD_EXPIRES_AT=tomorrow MCP_ODD_TOKEN=kept MCP_EMPTY_EXPIRES_AT=")
			s.enter(line)
			s.paste("sh -c 'exit 7'\r")
			s.enter("echo status is " + status[name])
			for range 3 {
				s.enter("true")
			}
			s.enter(`printf %s,%s,%s "$MCP_GONE_TOKEN" "$MCP_GONE_EXPIRES_AT" "$MCP_ODD_TOKEN" >found`)
			if found := readFile(t, filepath.Join(h.dir, "found")); found != ",,kept" {
				t.Errorf("the variables are %s, want only those that require a sign-in unset", found)
			}
			screen := s.stderr.String()
			if !strings.Contains(screen, "status is 7") {
				t.Errorf("the exit status was lost:\n%s", screen)
			}
			if n := strings.Count(screen, "mcp-login: MCP_GONE_EXPIRES_AT expires soon, and no credential is stored for it"); n != 1 {
				t.Errorf("the message was printed %d times:\n%s", n, screen)
			}
			if want := []string{"hook " + name, "hook " + name + " --due MCP_GONE_EXPIRES_AT"}; !slices.Equal(calls(), want) {
				t.Errorf("calls %q, want %q", calls(), want)
			}
			s.enter("export PATH=/nowhere MCP_LATE_EXPIRES_AT=2001-01-01T00:00:00Z") // without the program in PATH
			s.enter("echo still here")
		})
	}
}

// BenchmarkHook measures what a prompt costs when nothing expires soon. The goal is
// less than 5 ms.
func BenchmarkHook(b *testing.B) {
	h := newHome(b)
	for name, run := range map[string]string{
		"bash": `for ((i = 0; i < N; i++)); do _mcp_login_hook; done`,
		"zsh":  `for ((i = 0; i < N; i++)); do _mcp_login_hook; done`,
		"fish": `for i in (seq $N); __mcp_login_hook; end`,
	} {
		b.Run(name, func(b *testing.B) {
			prompts := func(n int) time.Duration {
				cmd := exec.Command(shells[name][0], append(slices.Clone(shells[name][1:len(shells[name])-1]), "-c", hookLine[name]+"; "+run)...)
				expiry := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
				cmd.Env = append(h.env, fmt.Sprintf("N=%d", n), "MCP_A_EXPIRES_AT="+expiry, "MCP_B_EXPIRES_AT="+expiry)
				return timeToRun(b, cmd)
			}
			var took []time.Duration
			const n = 1000
			for b.Loop() {
				took = append(took, prompts(n)-prompts(0))
			}
			b.ReportMetric(0, "ns/op") // the time of a thousand prompts and two shells together is meaningless
			b.ReportMetric(median(took).Seconds()*1000/n, "ms/prompt")
		})
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
