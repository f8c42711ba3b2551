package clientconfig

import (
	"path/filepath"
	"slices"
)

// callSeconds is the timeout of a call that a client is configured with: sign-in may take the
// user some minutes.
const callSeconds = 600

func joinSlash(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

// Clients lists them in the order of the help.
func Clients() []Client {
	return slices.Concat(popularClients(), terminalClients(), otherClients())
}

func popularClients() []Client {
	return []Client{
		{
			Name: "claude-code", Title: "Claude Code", place: claudeFile, project: []string{".mcp.json"},
			keys: []string{"mcpServers"}, Else: "Or pass the inner object to: claude mcp add-json",
			shapes: map[Via]func(Entry) fields{
				Proxy: func(e Entry) fields { return append(fields{{"type", "stdio"}}, command(e)...) },
				// https://code.claude.com/docs/en/mcp#use-dynamic-headers-for-custom-authentication:
				// the command runs in a shell and prints a JSON object of strings.
				Helper: func(e Entry) fields {
					return fields{{"type", "http"}, {"url", e.URL}, {"headersHelper", e.Helper}}
				},
				Variable: remote("${%s}"),
			},
		},
		{
			Name: "codex", Title: "Codex", place: codexFile, project: []string{".codex/config.toml"},
			syntax: tomlSyntax{}, keys: []string{"mcp_servers"},
			shapes: map[Via]func(Entry) fields{Proxy: codexProxy, Helper: codexHelper, Variable: codexVariable},
		},
		// https://code.visualstudio.com/docs/copilot/reference/mcp-configuration and
		// https://code.visualstudio.com/docs/reference/variables-reference#_environment-variables.
		{
			Name: "vscode", Title: "VS Code", place: vscodeFile, project: []string{".vscode/mcp.json"}, keys: []string{"servers"},
			shapes: map[Via]func(Entry) fields{
				Proxy:    func(e Entry) fields { return append(fields{{"type", "stdio"}}, command(e)...) },
				Variable: remote("${env:%s}"),
			},
		},
		// https://cursor.com/docs/mcp#config-interpolation
		{
			Name: "cursor", Title: "Cursor", place: cursorFile, project: []string{".cursor/mcp.json"}, keys: []string{"mcpServers"},
			shapes: map[Via]func(Entry) fields{
				Proxy:    command,
				Variable: func(e Entry) fields { return fields{{"url", e.URL}, authorization("${env:" + e.Variable + "}")} },
			},
		},
	}
}

func terminalClients() []Client {
	return []Client{
		// https://geminicli.com/docs/tools/mcp-server and, for $NAME in settings,
		// https://geminicli.com/docs/cli/configuration.
		{
			Name: "gemini", Title: "Gemini CLI", place: geminiFile, project: []string{".gemini/settings.json"}, keys: []string{"mcpServers"},
			Note: "Gemini CLI hides variables with TOKEN, SECRET, KEY or AUTH in their names from the proxy; use a store instead.",
			shapes: map[Via]func(Entry) fields{
				Proxy:    func(e Entry) fields { return append(command(e), field{"timeout", callSeconds * 1000}) },
				Variable: func(e Entry) fields { return fields{{"httpUrl", e.URL}, authorization("$" + e.Variable)} },
			},
		},
		// https://opencode.ai/v2/docs/mcp-servers/: version 2 keeps servers one level
		// deeper than version 1, and reads both. Its own OAuth is turned off.
		{
			Name: "opencode", Title: "opencode", place: opencodeFile, project: []string{"opencode.json", "opencode.jsonc"},
			keys: []string{"mcp", "servers"},
			shapes: map[Via]func(Entry) fields{
				Proxy: func(e Entry) fields { return fields{{"type", "local"}, {"command", e.Proxy}} },
				Variable: func(e Entry) fields {
					return fields{{"type", "remote"}, {"url", e.URL}, {"oauth", false}, authorization("{env:" + e.Variable + "}")}
				},
			},
		},
		{
			Name: "claude-desktop", Title: "Claude Desktop", place: desktopFile, keys: []string{"mcpServers"},
			Note:   "Restart Claude Desktop to load the file.",
			shapes: map[Via]func(Entry) fields{Proxy: command},
		},
		{
			Name: "copilot-cli", Title: "Copilot CLI", place: copilotFile, keys: []string{"mcpServers"},
			shapes: map[Via]func(Entry) fields{
				Proxy: func(e Entry) fields {
					return append(append(fields{{"type", "local"}}, command(e)...), field{"tools", []string{"*"}})
				},
			},
		},
	}
}

func otherClients() []Client {
	return []Client{
		// https://zed.dev/docs/ai/mcp
		{
			Name: "zed", Title: "Zed", place: zedFile, project: []string{".zed/settings.json"}, keys: []string{"context_servers"},
			shapes: map[Via]func(Entry) fields{
				Proxy: func(e Entry) fields { return append(command(e), field{"timeout", callSeconds}) },
			},
		},
		{
			Name: "windsurf", Title: "Windsurf", place: windsurfFile, keys: []string{"mcpServers"},
			shapes: map[Via]func(Entry) fields{
				Proxy:    command,
				Variable: func(e Entry) fields { return fields{{"serverUrl", e.URL}, authorization("${env:" + e.Variable + "}")} },
			},
		},
		{
			Name: "goose", Title: "goose", place: gooseFile, syntax: yamlSyntax{}, keys: []string{"extensions"},
			shapes: map[Via]func(Entry) fields{Proxy: gooseProxy, Variable: gooseVariable},
		},
		{
			Name: "cline", Title: "Cline", place: clineFile, keys: []string{"mcpServers"},
			Note: "Cline may not pass your environment variables to the proxy; put settings into mcp-login's configuration file.",
			shapes: map[Via]func(Entry) fields{
				Proxy: func(e Entry) fields { return append(command(e), field{"timeout", callSeconds}) },
			},
		},
		// What most clients have in common: https://gofastmcp.com/integrations/mcp-json-configuration.
		{
			Name: "generic", Title: "another client", keys: []string{"mcpServers"},
			shapes: map[Via]func(Entry) fields{
				Proxy:    command,
				Variable: remote("${%s}"),
			},
		},
	}
}

// command is the way that all clients have in common to start a program.
func command(e Entry) fields {
	return fields{{"command", e.Proxy[0]}, {"args", e.Proxy[1:]}}
}
