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

// desk is the account of a person who uses MCP clients.
type desk struct {
	*home
	bin string // folder of the clients
}

// newDesk returns the account of a person who is not signed in.
func newDesk(t *testing.T) *desk {
	t.Helper()
	modules, err := provide("mcp-clients")
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t)
	h.env = append(h.env,
		// Nothing leaves this machine: what is not for it goes to a proxy that is not there.
		"HTTPS_PROXY=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1",
		"DISABLE_TELEMETRY=1", "DISABLE_AUTOUPDATER=1", "OPENCODE_DISABLE_AUTOUPDATE=1", "GEMINI_CLI_TRUST_WORKSPACE=true",
	)
	return &desk{h, filepath.Join(modules, "node_modules", ".bin")}
}

// signedInDesk returns the account of a person who is signed in to a server.
func signedInDesk(t *testing.T, server string) *desk {
	t.Helper()
	d := newDesk(t)
	d.want(0, "login", "demo", server)
	return d
}

// snippet is what client-config prints.
func (d *desk) snippet(client string) string {
	d.t.Helper()
	return d.want(0, "client-config", "demo", "--for", client).stdout
}

// variable is what client-config prints for a client that reads a variable.
func (d *desk) variable(client string) string {
	d.t.Helper()
	return d.want(0, "client-config", "demo", "--for", client, "--via", "variable").stdout
}

// writes has client-config change the client's own file.
func (d *desk) writes(client, server string) {
	d.t.Helper()
	d.want(0, "client-config", "demo", server, "--for", client, "--via", "proxy", "--write")
}

// save writes a file of the client's configuration.
func (d *desk) save(path, text string) {
	d.t.Helper()
	path = filepath.Join(d.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// says runs a client and fails unless it says something.
func (d *desk) says(want string, argv ...string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := d.command(ctx, append([]string{"sh", "-c", `exec "$@"`, "sh"}, argv...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if noteSaid(out.String()); err != nil || !strings.Contains(out.String(), want) {
		d.t.Errorf("%s: %v, want %q in\n%s", strings.Join(argv, " "), err, want, out.String())
	}
}

// with runs a client that reads a variable.
func (d *desk) with(client string) []string {
	return []string{program, "exec", "demo", "--", filepath.Join(d.bin, client), "mcp", "list"}
}

// TestClientsConnect has each client read its snippet and connect, which needs
// a good token.
func TestClientsConnect(t *testing.T) {
	demo := startDemo(t)
	t.Run("claude-code", func(t *testing.T) {
		d := signedInDesk(t, demo.MCP())
		var file struct{ MCPServers map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(d.snippet("claude-code")), &file); err != nil {
			t.Fatal(err)
		}
		claude := filepath.Join(d.bin, "claude")
		d.says("Added", claude, "mcp", "add-json", "demo", string(file.MCPServers["demo"]), "--scope", "user")
		d.says("Connected", claude, "mcp", "list")
	})
	t.Run("gemini", func(t *testing.T) {
		d := signedInDesk(t, demo.MCP())
		d.save(".gemini/settings.json", d.variable("gemini"))
		d.says("Connected", d.with("gemini")...)
	})
	t.Run("opencode", func(t *testing.T) {
		d := signedInDesk(t, demo.MCP())
		d.save("opencode.json", d.variable("opencode"))
		d.says("connected", d.with("opencode")...)
	})
	// Through the proxy, from the file that client-config has written.
	for name, tt := range map[string]struct{ program, want string }{
		"claude-code": {"claude", "Connected"}, "gemini": {"gemini", "Connected"}, "opencode": {"opencode", "connected"},
	} {
		t.Run(name+" by proxy", func(t *testing.T) {
			d := signedInDesk(t, demo.MCP())
			d.writes(name, demo.MCP())
			d.says(tt.want, filepath.Join(d.bin, tt.program), "mcp", "list")
		})
	}
}

// TestCodexReadsItsSnippet asks Codex what it read: it connects only in a
// session with its model.
func TestCodexReadsItsSnippet(t *testing.T) {
	demo := startDemo(t)
	d := signedInDesk(t, demo.MCP())
	d.save(".codex/config.toml", d.snippet("codex"))
	codex := filepath.Join(d.bin, "codex")
	d.says(demo.MCP(), codex, "mcp", "get", "demo", "--json")
	d.says(`"http_headers_helper": "<redacted>"`, codex, "mcp", "get", "demo", "--json")

	// The helper is run by a shell with next to nothing in its environment.
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
