package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestAgain: a suggested command repeats the options that select the same store or
// agent, but not those that the configuration file sets.
func TestAgain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		words     []string
		variables map[string]string
		config    string
		want      []string
	}{
		{name: "nothing", words: []string{"token", "a"}},
		{name: "typed and environment", words: []string{"token", "a", "--keeper", "passphrase"}, variables: map[string]string{"MCP_LOGIN_STORE": "file:x"}, want: []string{"--store", "file:x", "--keeper", "passphrase"}},
		{name: "configuration", words: []string{"token", "a"}, config: `store = "file:x"`},
		{name: "agent", words: []string{"token", "a", "--store", "file:x", "--agent-sock", "/a.sock"}, want: []string{"--agent-sock", "/a.sock"}},
		{name: "agent in the configuration", words: []string{"env", "a"}, config: `agent-sock = "/a.sock"`, want: []string{"--agent-sock", "/a.sock"}},
		{name: "agent of another user", words: []string{"logout", "a", "--store", "file:x"}, variables: map[string]string{"MCP_LOGIN_AGENT_SOCK": "/a.sock"}, want: []string{"--store", "file:x"}},
		{name: "login", words: []string{"login", "a", "--flow", "device", "--no-qr", "--store=file:x", "--force"}, want: []string{"--store", "file:x", "--flow", "device"}},
		{name: "login in progress", words: []string{"proxy", "a", "--flow", "device", "--store=file:x"}, want: []string{"--store", "file:x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, _, _ := testEnv(t)
			setVariables(e, tt.variables)
			setConfig(t, e, tt.config)
			own, err := e.calling(treeOf(allCommands(e)).Interpret(tt.words))
			if err != nil {
				t.Fatal(err)
			}
			if got := own.Again(); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if len(e.Line.Parts) > 0 || e.File != nil {
				t.Error("the command changed its argument")
			}
		})
	}
}

// TestForProfile: each of several profiles has separate options, by the same order
// of precedence, and none affects another.
func TestForProfile(t *testing.T) {
	e, _, _ := testEnv(t)
	setVariables(e, map[string]string{"MCP_LOGIN_TIMEOUT": "7s"})
	setConfig(t, e, "store = \"file:all\"\ntimeout = \"9s\"\n[profile.a]\nstore = \"file:a\"\nmin-ttl = \"2m\"\n[profile.b]\nkeeper = \"passphrase\"\n")
	e, err := e.calling(treeOf(allCommands(e)).Interpret([]string{"agent", "--keeper", "keyring"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, store string }{{"a", "file:a"}, {"b", "file:all"}, {"c", "file:all"}} {
		own, o, err := e.forProfile(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		ttl := time.Minute
		if tt.name == "a" {
			ttl *= 2
		}
		if o.Store != tt.store || o.Keeper != "keyring" || o.Timeout != 7*time.Second || o.MinTTL != ttl || o.logLevel != "warn" {
			t.Errorf("%s: %+v", tt.name, *o)
		}
		if own.Setting("store") != tt.store || e.Setting("store") != "file:all" {
			t.Errorf("%s: %q, all %q", tt.name, own.Setting("store"), e.Setting("store"))
		}
	}
}

// setConfig writes a configuration file, unless text is empty.
func setConfig(t *testing.T, e *call, text string) {
	t.Helper()
	if text == "" {
		return
	}
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	setVariables(e, map[string]string{"MCP_LOGIN_CONFIG": path})
}
