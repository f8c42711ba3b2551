// Package clientconfig writes what goes into the configuration of MCP clients. It
// must not know where their files are on this machine, nor how credentials are
// stored.
package clientconfig

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Entry is one MCP server as a client's configuration needs it.
type Entry struct {
	Profile  string // what the server is called here
	URL      string
	Helper   string // the command that prints the headers
	Variable string // the variable that holds the Authorization header's value
}

// name is the profile's name in the characters that every client takes:
// Claude Code and Codex refuse all others.
func name(profile string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, profile)
}

// Client is an MCP client whose configuration is known.
type Client struct {
	Name    string
	File    string // where the snippet goes, for people
	Helper  bool   // it runs a command for its headers
	Snippet func(Entry) string
}

// Clients lists them in the order of the help.
func Clients() []Client {
	return []Client{
		// https://code.claude.com/docs/en/mcp#use-dynamic-headers-for-custom-authentication:
		// the command runs in a shell and prints a JSON object of strings.
		{"claude-code", ".mcp.json, or give the inner object to `claude mcp add-json`", true, func(e Entry) string {
			return jsonSnippet(mcpServers(name(e.Profile), claudeServer{Type: "http", URL: e.URL, HeadersHelper: e.Helper}))
		}},
		// https://learn.chatgpt.com/docs/extend/mcp and its configuration reference:
		// http_headers_helper is a string, run by sh -c, since Codex 0.152.
		{"codex", "~/.codex/config.toml", true, func(e Entry) string {
			return fmt.Sprintf("[mcp_servers.%s]\nurl = %s\nhttp_headers_helper = %s\n", name(e.Profile), tomlString(e.URL), tomlString(e.Helper))
		}},
		// https://code.visualstudio.com/docs/copilot/reference/mcp-configuration and
		// https://code.visualstudio.com/docs/reference/variables-reference#_environment-variables.
		{"vscode", ".vscode/mcp.json", false, func(e Entry) string {
			return jsonSnippet(map[string]any{"servers": map[string]any{
				name(e.Profile): remoteServer{Type: "http", URL: e.URL, Headers: authorizationFrom("${env:" + e.Variable + "}")},
			}})
		}},
		// https://cursor.com/docs/mcp#config-interpolation
		{"cursor", "~/.cursor/mcp.json", false, func(e Entry) string {
			return jsonSnippet(mcpServers(name(e.Profile), remoteServer{URL: e.URL, Headers: authorizationFrom("${env:" + e.Variable + "}")}))
		}},
		// https://geminicli.com/docs/tools/mcp-server and, for $NAME in settings,
		// https://geminicli.com/docs/cli/configuration.
		{"gemini", "~/.gemini/settings.json", false, func(e Entry) string {
			return jsonSnippet(mcpServers(name(e.Profile), geminiServer{HTTPURL: e.URL, Headers: authorizationFrom("$" + e.Variable)}))
		}},
		// https://opencode.ai/v2/docs/mcp-servers/: version 2 keeps servers one level
		// deeper than version 1. Its own OAuth is turned off.
		{"opencode", "opencode.json", false, func(e Entry) string {
			return jsonSnippet(map[string]any{"mcp": map[string]any{"servers": map[string]any{
				name(e.Profile): opencodeServer{Type: "remote", URL: e.URL, Headers: authorizationFrom("{env:" + e.Variable + "}")},
			}}})
		}},
		// What most clients have in common: https://gofastmcp.com/integrations/mcp-json-configuration.
		{"generic", "the client's list of MCP servers; how it writes variables may differ", false, func(e Entry) string {
			return jsonSnippet(mcpServers(name(e.Profile), remoteServer{Type: "http", URL: e.URL, Headers: authorizationFrom("${" + e.Variable + "}")}))
		}},
	}
}

// Names returns the names of the clients.
func Names() []string {
	var names []string
	for _, c := range Clients() {
		names = append(names, c.Name)
	}
	return names
}

// Find returns the client of a name.
func Find(name string) (Client, bool) {
	for _, c := range Clients() {
		if c.Name == name {
			return c, true
		}
	}
	return Client{}, false
}

// The shapes of one server. Only the first letters of the field names differ.
type (
	claudeServer struct {
		Type          string `json:"type"`
		URL           string `json:"url"`
		HeadersHelper string `json:"headersHelper"`
	}
	remoteServer struct {
		Type    string  `json:"type,omitempty"`
		URL     string  `json:"url"`
		Headers headers `json:"headers"`
	}
	geminiServer struct {
		HTTPURL string  `json:"httpUrl"`
		Headers headers `json:"headers"`
	}
	opencodeServer struct {
		Type    string  `json:"type"`
		URL     string  `json:"url"`
		OAuth   bool    `json:"oauth"`
		Headers headers `json:"headers"`
	}
	headers struct {
		Authorization string
	}
)

func authorizationFrom(reference string) headers { return headers{reference} }

func mcpServers(name string, server any) any {
	return map[string]any{"mcpServers": map[string]any{name: server}}
}

func jsonSnippet(v any) string {
	text, err := printable.JSON(v, "  ")
	if err != nil {
		panic(err) // strings and maps of them always encode
	}
	return string(text)
}

// tomlString writes a basic string (https://toml.io/en/v1.0.0#string).
func tomlString(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
	return printable.Escape(`"`+s+`"`, func(r rune) string { return fmt.Sprintf(`\U%08X`, r) })
}

// Quote makes a word safe in the shell by which a client runs its helper.
// cmd.exe knows double quotes alone; a path there can hold none.
func Quote(goos, word string) string {
	if goos != "windows" {
		return suggest.Quote(word)
	}
	if strings.ContainsAny(word, " &()^;,=%!") {
		return `"` + word + `"`
	}
	return word
}
