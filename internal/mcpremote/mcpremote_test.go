package mcpremote

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const server = "https://mcp.example.com/mcp"

func TestTranslate(t *testing.T) {
	for _, tt := range []struct{ mcpRemote, translated string }{
		{server, server},
		{server + " 3334", server + " --redirect-port 3334"},
		{server + " 3334 --host localhost --callback-path /cb --auth-timeout 60", server + " --redirect-port 3334 --redirect-host localhost --redirect-path /cb --wait 60s"},
		{server + " --transport http-first --ping-interval 5 --ipv4 --protocol auto", server},
		{server + " --transport sse-only", server + " --transport sse"},
		{server + " --transport http-only", server + " --transport http"},
		{server + " --ignore-tool delete* --ignore-tool drop*", server + " --deny-tool delete* --deny-tool drop*"},
		{server + " --authorize-param prompt=consent --disable-resource-parameter", server + " --auth-param prompt=consent --no-resource"},
		{server + " --device-code --debug", server + " --flow device --log-level debug"},
		{server + ` --static-oauth-client-info {"client_id":"x"}`, server + " --client-id x"},
		{server + ` --static-oauth-client-metadata {"scope":"a"}`, server + " --scope a"},
		{server + " --header X-Team:${TEAM}", server + " --header-from X-Team=env:TEAM"},
		{server + " --header X-Team:blue", server + " --header X-Team:~blue"},
		{server + " --header X-Key:Key_${KEY}", server + " --header X-Key:~Key_${KEY}"},
		{"--header X-Team:blue " + server + " 3334", server + " --header X-Team:~blue --redirect-port 3334"},
		{server + " --resource " + server + "/", server},
		{server + ` 3334 --static-oauth-client-info {"client_id":"x"}`, server + " --redirect-port 3334 --client-id x --redirect-host localhost --redirect-path /oauth/callback"},
		{"http://localhost:8080/mcp --allow-http", "http://localhost:8080/mcp"},
		{"http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp"},
	} {
		want := strings.Fields(tt.translated)
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "~", " ")
		}
		got, err := Translate(strings.Fields(tt.mcpRemote))
		if err != nil || !slices.Equal(got.Args, want) {
			t.Errorf("%s\nis %q, %v\nwant %q", tt.mcpRemote, got.Args, err, want)
		}
	}
}

// TestUnsupported: the error names the option and its replacement.
func TestUnsupported(t *testing.T) {
	for args, want := range map[string]string{
		"":                                   "no URL",
		"--debug":                            "no URL",
		server + " --header-file f":          "--header-from",
		server + " --new-option":             "--new-option",
		server + " extra":                    "extra",
		server + " --host":                   "no value",
		server + " --auth-timeout soon":      "seconds",
		server + " --transport carrier":      "carrier",
		server + " --header Authorization:x": "no sign-in is needed",
		server + " --header nothing":         "Name: value",
		server + " --resource r":             "--name",
		server + ` --static-oauth-client-info {"client_id":"x","client_secret":"y"}`: "--client-secret-from",
		server + ` --static-oauth-client-info @file`:                                 "--client-secret-from",
		server + ` --static-oauth-client-info {}`:                                    "no client_id",
		server + ` --static-oauth-client-metadata {"jwks":{}}`:                       "jwks",
		server + ` --static-oauth-client-metadata x`:                                 "JSON",
		"http://mcp.example.com/mcp --allow-http":                                    "https",
	} {
		got, err := Translate(strings.Fields(args))
		if err == nil || !strings.Contains(err.Error(), want) || got.Args != nil && !strings.Contains(args, "--allow-http") {
			t.Errorf("%s: %q, %v, want %q", args, got.Args, err, want)
		}
	}
	if _, err := Translate([]string{server, "--resource", "r"}); !errorsAs(err) {
		t.Errorf("%T", err)
	}
}

func errorsAs(err error) bool {
	_, ok := errors.AsType[*UnsupportedError](err)
	return ok
}

// TestSecretsStayHidden: an error never contains a secret of the command line.
func TestSecretsStayHidden(t *testing.T) {
	for _, args := range []string{
		` --static-oauth-client-info {"client_id":"x","client_secret":"s3cret"}`, " --header Authorization:s3cret",
		` --static-oauth-client-metadata {"software_statement":"s3cret"}`,
	} {
		if _, err := Translate(strings.Fields(server + args)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestAdapt: options of mcp-remote and mcp-login can be mixed in one command line,
// and options of mcp-login are passed through.
func TestAdapt(t *testing.T) {
	flags := map[string]bool{"header": true, "header-from": true, "transport": true, "name": true, "read-only": false, "client-id": true, "redirect-port": true, "token-endpoint": true, "use-id-token": false}
	ownFlag := func(name string) (known, value bool) {
		value, known = flags[name]
		return known, value
	}
	for _, tt := range []struct{ args, ownFlag string }{
		{"notion --read-only", "notion --read-only"},
		{"notion 3334", "notion 3334"},
		{"--name box " + server + " 3334 --debug", "--name box " + server + " --redirect-port 3334 --log-level debug"},
		{server + " --ignore-tool drop* --read-only --auth-timeout 60", server + " --deny-tool drop* --read-only --wait 60s"},
		{server + " --ignore-tool=drop*", server + " --deny-tool drop*"},
		{server + " --transport http-first", server},
		{server + " --transport sse --token-endpoint https://a.test/t --use-id-token", server + " --transport sse --token-endpoint https://a.test/t --use-id-token"},
		{server + " --header X-Key:${KEY} --header-from X=env:Y", server + " --header X-Key:${KEY} --header-from X=env:Y"},
		{server + " --client-id x --redirect-port 3", server + " --client-id x --redirect-port 3"},
		{server + " --help --unheard-of", server + " --help --unheard-of"},
		{server + " -- --debug", server + " -- --debug"},
		{"notion " + server, "notion " + server},
		{"http://127.0.0.1/mcp --allow-http", "http://127.0.0.1/mcp"},
	} {
		got, err := Adapt(strings.Fields(tt.args), ownFlag)
		if err != nil || !slices.Equal(got, strings.Fields(tt.ownFlag)) {
			t.Errorf("%s\nis %q, %v\nwant %q", tt.args, got, err, tt.ownFlag)
		}
	}
	for args, want := range map[string]string{
		"http://mcp.example.com/mcp --allow-http":   "https",
		server + " --header-file f":                 "--header-from",
		server + " --auth-timeout":                  "no value",
		server + " --resource https://a.test/other": "--name",
	} {
		if got, err := Adapt(strings.Fields(args), ownFlag); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %q, %v, want %q", args, got, err, want)
		}
	}
}
