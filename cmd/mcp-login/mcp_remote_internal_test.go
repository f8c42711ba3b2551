package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpremote"
)

// TestMCPRemoteLines: in a client's configuration, npx -y mcp-remote can be
// replaced by mcp-login proxy, and the output of --migrate is a valid command line.
// If an option has no equivalent, the error says what to do.
func TestMCPRemoteLines(t *testing.T) {
	e, _, _ := testEnv(t)
	tree := treeOf(allCommands(e))
	const url = "https://mcp.example.com/mcp"
	check := func(words []string) error {
		line := tree.Interpret(append([]string{proxyName}, words...))
		if err := line.Check(); err != nil {
			return err
		}
		return line.CheckArgs()
	}
	for _, options := range []string{
		"", "3334", "3334 --host localhost --callback-path /cb --auth-timeout 60", "--allow-http --debug --silent",
		"--transport http-first", "--transport sse-first", "--transport http-only", "--transport sse-only", "--protocol auto",
		"--header X-Team:${TEAM} --header X-Other:blue", "--ignore-tool delete* --ignore-tool drop*", "--resource " + url, "--disable-resource-parameter",
		"--authorize-param prompt=consent", `--static-oauth-client-metadata {"client_name":"x","scope":"a"}`, `3334 --static-oauth-client-info {"client_id":"x"}`,
		"--client-metadata-url https://example.com/c.json", "--device-code", "--client-credentials --token-endpoint https://as.example.com/token", "--use-id-token",
		"--keep-alive --ping-interval 5 --connect-timeout 5 --headers-timeout 5 --body-timeout 5 --ipv4 --enable-proxy --disable-cookies",
	} {
		words := append([]string{url}, strings.Fields(options)...)
		if err := check(words); err != nil {
			t.Errorf("proxy %s: %v", options, err)
		}
		moved, err := mcpremote.Translate(words)
		if err == nil {
			err = check(moved.Args)
		}
		if err != nil {
			t.Errorf("migrated %s: %q: %v", options, moved.Args, err)
		}
		if again := tree.Interpret(append([]string{proxyName}, moved.Args...)); !slices.Equal(again.Args, []string{url}) {
			t.Errorf("migrated %s: the arguments are %q", options, again.Args)
		}
	}
	for options, want := range map[string]string{
		"--header-file f": "--header-from", "--auth-success-url https://a.test/": "leave it out",
		`--static-oauth-client-info {"client_id":"x","client_secret":"y"}`: "--client-secret-from", "--resource https://other.example.com": "--name",
		"--unheard-of": "unknown flag",
	} {
		if err := check(append([]string{url}, strings.Fields(options)...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("proxy %s: %v, want %q", options, err, want)
		}
	}
}
