package main

import (
	"fmt"
	"strings"
)

// entry is one MCP server as a client's configuration needs it.
type entry struct {
	name     string // the server's name there
	url      string
	helper   string // the command that prints the headers
	variable string // the variable that holds the Authorization header's value
}

func newEntry(profile, url, helper string) entry {
	return entry{clientName(profile), url, helper, freePrefix(profile) + "_AUTHORIZATION"}
}

// clientName is the profile's name in the characters that every client takes:
// Claude Code and Codex refuse all others.
func clientName(profile string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, profile)
}

// client is an MCP client whose configuration is known.
type client struct {
	name    string
	file    string // where the snippet goes
	helper  bool   // it runs a command for its headers
	snippet func(entry) string
}

// clients lists them in the order of the help.
func clients() []client {
	return []client{
		// https://code.claude.com/docs/en/mcp#use-dynamic-headers-for-custom-authentication:
		// the command runs in a shell and prints a JSON object of strings.
		{"claude-code", ".mcp.json, or give the inner object to `claude mcp add-json`", true, func(e entry) string {
			return jsonSnippet(mcpServers(e.name, claudeServer{Type: "http", URL: e.url, HeadersHelper: e.helper}))
		}},
		// https://learn.chatgpt.com/docs/extend/mcp and its configuration reference:
		// http_headers_helper is a string, run by sh -c, since Codex 0.152.
		{"codex", "~/.codex/config.toml", true, func(e entry) string {
			return fmt.Sprintf("[mcp_servers.%s]\nurl = %s\nhttp_headers_helper = %s\n", e.name, tomlString(e.url), tomlString(e.helper))
		}},
		// https://code.visualstudio.com/docs/copilot/reference/mcp-configuration and
		// https://code.visualstudio.com/docs/reference/variables-reference#_environment-variables.
		{"vscode", ".vscode/mcp.json", false, func(e entry) string {
			return jsonSnippet(map[string]any{"servers": map[string]any{
				e.name: remoteServer{Type: "http", URL: e.url, Headers: authorizationFrom("${env:" + e.variable + "}")},
			}})
		}},
		// https://cursor.com/docs/mcp#config-interpolation
		{"cursor", "~/.cursor/mcp.json", false, func(e entry) string {
			return jsonSnippet(mcpServers(e.name, remoteServer{URL: e.url, Headers: authorizationFrom("${env:" + e.variable + "}")}))
		}},
		// https://geminicli.com/docs/tools/mcp-server and, for $NAME in settings,
		// https://geminicli.com/docs/cli/configuration.
		{"gemini", "~/.gemini/settings.json", false, func(e entry) string {
			return jsonSnippet(mcpServers(e.name, geminiServer{HTTPURL: e.url, Headers: authorizationFrom("$" + e.variable)}))
		}},
		// https://opencode.ai/v2/docs/mcp-servers/: version 2 keeps servers one level
		// deeper than version 1. Its own OAuth is turned off.
		{"opencode", "opencode.json", false, func(e entry) string {
			return jsonSnippet(map[string]any{"mcp": map[string]any{"servers": map[string]any{
				e.name: opencodeServer{Type: "remote", URL: e.url, Headers: authorizationFrom("{env:" + e.variable + "}")},
			}}})
		}},
		// What most clients have in common: https://gofastmcp.com/integrations/mcp-json-configuration.
		{"generic", "the client's list of MCP servers; how it writes variables may differ", false, func(e entry) string {
			return jsonSnippet(mcpServers(e.name, remoteServer{Type: "http", URL: e.url, Headers: authorizationFrom("${" + e.variable + "}")}))
		}},
	}
}

func clientNames() []string {
	var names []string
	for _, c := range clients() {
		names = append(names, c.name)
	}
	return names
}

func findClient(name string) (client, bool) {
	for _, c := range clients() {
		if c.name == name {
			return c, true
		}
	}
	return client{}, false
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
	text, err := encodeJSON(v, "  ")
	if err != nil {
		panic(err) // strings and maps of them always encode
	}
	return string(text)
}

// tomlString writes a basic string (https://toml.io/en/v1.0.0#string).
func tomlString(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
	return inert(`"`+s+`"`, func(r rune) string { return fmt.Sprintf(`\U%08X`, r) })
}
