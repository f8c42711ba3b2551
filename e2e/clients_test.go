//go:build e2e && clients

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clientHome is the account of a user of MCP clients.
type clientHome struct {
	*home
	bin string // folder of the clients
}

// newClientHome returns the account of a user who is not signed in.
func newClientHome(t *testing.T) *clientHome {
	t.Helper()
	modules, err := provide("mcp-clients")
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t)
	h.env = append(h.env,
		// The clients must not send anything to the internet: a proxy address without a
		// listener rejects all requests.
		"HTTPS_PROXY=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1",
		"DISABLE_TELEMETRY=1", "DISABLE_AUTOUPDATER=1", "OPENCODE_DISABLE_AUTOUPDATE=1", "GEMINI_CLI_TRUST_WORKSPACE=true",
	)
	return &clientHome{h, filepath.Join(modules, "node_modules", ".bin")}
}

// newSignedInClientHome returns the account of a user who is signed in to a server.
func newSignedInClientHome(t *testing.T, server string) *clientHome {
	t.Helper()
	d := newClientHome(t)
	d.want(0, "login", "demo", server)
	return d
}

// snippet returns what client-config prints.
func (h *clientHome) snippet(client string) string {
	h.t.Helper()
	return h.want(0, "client-config", "demo", "--for", client).stdout
}

// variableSnippet returns what client-config prints for a client that reads a variable.
func (h *clientHome) variableSnippet(client string) string {
	h.t.Helper()
	return h.want(0, "client-config", "demo", "--for", client, "--via", "variable").stdout
}

// configure changes the client's own file with client-config.
func (h *clientHome) configure(client, server string) {
	h.t.Helper()
	h.want(0, "client-config", "demo", server, "--for", client, "--via", "proxy", "--write")
}

// writeFile writes a configuration file of a client.
func (h *clientHome) writeFile(path, text string) {
	h.t.Helper()
	path = filepath.Join(h.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// checkOutput runs a client and fails unless its output contains a text.
func (h *clientHome) checkOutput(want string, argv ...string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), commandTimeout)
	defer cancel()
	cmd := h.command(ctx, append([]string{"sh", "-c", `exec "$@"`, "sh"}, argv...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if recordOutput(out.String()); err != nil || !strings.Contains(out.String(), want) {
		h.t.Errorf("%s: %v, want %q in\n%s", strings.Join(argv, " "), err, want, out.String())
	}
}

// execArgs returns a command that runs a client with the profile's variables.
func (h *clientHome) execArgs(client string) []string {
	return []string{program, "exec", "demo", "--", filepath.Join(h.bin, client), "mcp", "list"}
}

// TestClientsConnect: each client reads its snippet and connects, which requires a
// valid token.
func TestClientsConnect(t *testing.T) {
	demo := startDemo(t)
	t.Run("claude-code", func(t *testing.T) {
		d := newSignedInClientHome(t, demo.MCP())
		var file struct{ MCPServers map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(d.snippet("claude-code")), &file); err != nil {
			t.Fatal(err)
		}
		claude := filepath.Join(d.bin, "claude")
		d.checkOutput("Added", claude, "mcp", "add-json", "demo", string(file.MCPServers["demo"]), "--scope", "user")
		d.checkOutput("Connected", claude, "mcp", "list")
	})
	t.Run("gemini", func(t *testing.T) {
		d := newSignedInClientHome(t, demo.MCP())
		d.writeFile(".gemini/settings.json", d.variableSnippet("gemini"))
		d.checkOutput("Connected", d.execArgs("gemini")...)
	})
	t.Run("opencode", func(t *testing.T) {
		d := newSignedInClientHome(t, demo.MCP())
		d.writeFile("opencode.json", d.variableSnippet("opencode"))
		d.checkOutput("connected", d.execArgs("opencode")...)
	})
	// Through the proxy, with the file that client-config wrote.
	for name, tt := range map[string]struct{ program, want string }{
		"claude-code": {"claude", "Connected"}, "gemini": {"gemini", "Connected"}, "opencode": {"opencode", "connected"},
	} {
		t.Run(name+" by proxy", func(t *testing.T) {
			d := newSignedInClientHome(t, demo.MCP())
			d.configure(name, demo.MCP())
			d.checkOutput(tt.want, filepath.Join(d.bin, tt.program), "mcp", "list")
		})
	}
}

// TestCodexReadsItsSnippet checks what Codex read. It connects only in a session with
// its model.
func TestCodexReadsItsSnippet(t *testing.T) {
	demo := startDemo(t)
	d := newSignedInClientHome(t, demo.MCP())
	d.writeFile(".codex/config.toml", d.snippet("codex"))
	codex := filepath.Join(d.bin, "codex")
	d.checkOutput(demo.MCP(), codex, "mcp", "get", "demo", "--json")
	d.checkOutput(`"http_headers_helper": "<redacted>"`, codex, "mcp", "get", "demo", "--json")

	// A shell runs the helper with almost nothing in its environment.
	d.env = slices.DeleteFunc(d.env, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	line := d.snippet("codex")
	helper := line[strings.Index(line, "http_headers_helper = ")+len("http_headers_helper = "):]
	var command string
	if err := json.Unmarshal([]byte(strings.TrimSpace(helper)), &command); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if r := d.run("sh", "-c", command); json.Unmarshal([]byte(r.stdout), &got) != nil || !strings.HasPrefix(got["Authorization"], "Bearer ") {
		t.Errorf("%s prints %d bytes and %q", command, len(r.stdout), r.stderr)
	}
}
