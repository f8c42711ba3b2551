package clientconfig

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpremote"
)

// TestRemoteArguments: the common ways to start mcp-remote.
func TestRemoteArguments(t *testing.T) {
	for line, want := range map[string]string{
		"npx mcp-remote URL":                              "URL",
		"npx -y mcp-remote URL 3334":                      "URL 3334",
		"npx -y mcp-remote@latest URL":                    "URL",
		"npx -y mcp-remote@0.1.29 URL":                    "URL",
		"/usr/local/bin/npx --yes mcp-remote URL":         "URL",
		"npx -p mcp-remote@latest mcp-remote URL":         "URL",
		`C:\Program/nodejs\npx.CMD -y mcp-remote URL`:     "URL",
		"cmd /c npx -y mcp-remote URL":                    "URL",
		"cmd.exe /C npx mcp-remote URL":                   "URL",
		"bunx mcp-remote URL":                             "URL",
		"pnpm dlx mcp-remote URL":                         "URL",
		"npm exec mcp-remote URL":                         "URL",
		"mcp-remote URL --debug":                          "URL --debug",
		"node /x/node_modules/mcp-remote/dist/proxy.js U": "U",
		"npx -p mcp-remote@latest mcp-remote-client URL":  "-",
		"npx -y mcp-remote-evil URL":                      "-",
		"npx -y other mcp-remote":                         "-",
		"npx":                                             "-",
		"":                                                "-",
		"node server.js":                                  "-",
		"mcp-login proxy URL":                             "-",
	} {
		got, ok := remoteArguments(strings.Fields(line))
		if !ok {
			got = []string{"-"}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// TestMigrateOnlyToUsableURLs: an entry is not changed if mcp-login rejects its
// URL, and its secrets are not shown.
func TestMigrateOnlyToUsableURLs(t *testing.T) {
	for url, want := range map[string]string{
		"https://me:s3cret@x.example/mcp": "user name", "https://x.example/\x1b[2J": "invisible", "https://x.example/mcp#s3cret": "fragment",
	} {
		all := Migrations([]Server{{Name: "a", Command: []string{"npx", "mcp-remote", url}}}, "mcp-login")
		if len(all) != 1 || all[0].Err == nil || all[0].Proxy != nil || !strings.Contains(all[0].Err.Error(), want) {
			t.Errorf("%s: %+v", url, all)
		}
		if plan := Plan(all); !strings.Contains(url, "#") && strings.Contains(plan, "s3cret") {
			t.Errorf("the plan is %s", plan)
		}
	}
}

// TestMigrate: in every client's format the command is replaced and everything else
// is kept.
func TestMigrate(t *testing.T) {
	for name, tt := range map[string]struct{ client, file, before, after string }{
		"claude-code": {"claude-code", ".claude.json",
			`{"numStartups": 3, "mcpServers": {"n": {"type": "stdio", "command": "npx", "args": ["-y", "mcp-remote", "https://x.example/mcp"], "env": {"A": "b"}}}, "projects": {"/p": {"mcpServers": {"m": {"command": "npx", "args": ["mcp-remote", "https://y.example/sse", "3334"]}}}}}`,
			`{"numStartups": 3, "mcpServers": {"n": {"type": "stdio", "command": "/bin/mcp-login", "args": ["proxy","https://x.example/mcp"], "env": {"A": "b"}}}, "projects": {"/p": {"mcpServers": {"m": {"command": "/bin/mcp-login", "args": ["proxy","https://y.example/sse","--redirect-port","3334"]}}}}}`},
		"codex": {"codex", ".codex/config.toml",
			"model = \"o\"\n\n[mcp_servers.n]\ncommand = \"npx\"\nargs = [\"-y\", \"mcp-remote\", \"https://x.example/mcp\"]\nstartup_timeout_sec = 20\n\n[mcp_servers.n.env]\nA = \"b\"\n\n[other]\nx = 1\n",
			"model = \"o\"\n\n[mcp_servers.n]\ncommand = \"/bin/mcp-login\"\nargs = [\"proxy\", \"https://x.example/mcp\"]\nenv = {A = \"b\"}\nstartup_timeout_sec = 20\n\n[other]\nx = 1\n"},
		"vscode": {"vscode", ".config/Code/User/mcp.json",
			"{\n  // mine\n  \"servers\": {\n    \"n\": { \"command\": \"npx\", \"args\": [\"mcp-remote\", \"https://x.example/mcp\"] }, // sign-in\n  },\n}\n",
			"{\n  // mine\n  \"servers\": {\n    \"n\": { \"command\": \"/bin/mcp-login\", \"args\": [\n        \"proxy\",\n        \"https://x.example/mcp\"\n      ] }, // sign-in\n  },\n}\n"},
		"opencode": {"opencode", ".config/opencode/opencode.json",
			`{"mcp":{"n":{"type":"local","command":["npx","-y","mcp-remote","https://x.example/mcp"],"enabled":true}}}`,
			`{"mcp":{"n":{"type":"local","command":["/bin/mcp-login","proxy","https://x.example/mcp"],"enabled":true}}}`},
		"goose": {"goose", ".config/goose/config.yaml",
			"extensions:\n  n:\n    type: stdio # local\n    cmd: npx\n    args:\n      - -y\n      - mcp-remote\n      - https://x.example/mcp\n    timeout: 300\n",
			"extensions:\n  n:\n    type: stdio # local\n    cmd: \"/bin/mcp-login\"\n    args: [\"proxy\", \"https://x.example/mcp\"]\n    timeout: 300\n"},
		"cline": {"cline", ".cline/data/settings/cline_mcp_settings.json",
			`{"mcpServers":{"n":{"disabled":false,"transport":{"type":"stdio","command":"npx","args":["mcp-remote","https://x.example/mcp"]}}}}`,
			`{"mcpServers":{"n":{"disabled":false,"transport":{"type":"stdio","command":"/bin/mcp-login","args":["proxy","https://x.example/mcp"]}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := Places{Home: t.TempDir(), GOOS: "linux", Getenv: func(string) string { return "" }}
			path := filepath.Join(p.Home, tt.file)
			writeFile(t, path, tt.before, 0o600)
			servers, errs := Servers(p)
			if errs != nil {
				t.Fatal(errs)
			}
			all := Migrations(servers, "/bin/mcp-login")
			for _, m := range all {
				if m.Err != nil || m.File != path || m.Client.Name != tt.client {
					t.Fatalf("%+v", m)
				}
			}
			change, err := Apply(path, all)
			if err == nil {
				_, err = change.Apply()
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := readFile(t, path); got != tt.after {
				t.Errorf("got\n%s\nwant\n%s", got, tt.after)
			}
			again, _ := Servers(p)
			if len(Migrations(again, "/bin/mcp-login")) != 0 {
				t.Error("mcp-remote is still there")
			}
			for _, s := range again {
				if s.URL == "" {
					t.Errorf("%s has no URL", s.Name)
				}
			}
		})
	}
}

// TestServers: invalid content in one client's file does not prevent reading the
// others.
func TestServers(t *testing.T) {
	p := Places{Home: t.TempDir(), Project: t.TempDir(), GOOS: "linux", Getenv: func(string) string { return "" }}
	writeFile(t, filepath.Join(p.Home, ".cursor", "mcp.json"), `{`, 0o600)
	writeFile(t, filepath.Join(p.Home, ".gemini", "settings.json"), `{"mcpServers":{"a":{"httpUrl":"https://a.example/mcp"},"b":7,"local":{"command":"x"}}}`, 0o600)
	writeFile(t, filepath.Join(p.Project, ".mcp.json"), `{"mcpServers":{"c":{"type":"http","url":"https://c.example/mcp"},"r":{"command":"npx","args":["mcp-remote","https://r.example/mcp","--header-file","f"]}}}`, 0o600)
	servers, errs := Servers(p)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "mcp.json") {
		t.Errorf("%v", errs)
	}
	var got []string
	for _, s := range servers {
		got = append(got, s.Client.Name+" "+s.Name+" "+s.URL)
	}
	if want := []string{"claude-code c https://c.example/mcp", "claude-code r https://r.example/mcp", "gemini a https://a.example/mcp", "gemini local "}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	all := Migrations(servers, "mcp-login")
	if len(all) != 1 || all[0].Proxy != nil {
		t.Fatalf("%+v", all)
	}
	if e, ok := errors.AsType[*mcpremote.UnsupportedError](all[0].Err); !ok || e.Option != "--header-file" {
		t.Error(all[0].Err)
	}
}
