package main

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// harmless are this program's variables that it passes to the programs it starts:
// settings whose value is neither a secret nor leads to one.
var harmless = strings.Fields(`
	ACCEPT_ISSUER ACCEPT_MISSING_ISS ACCEPT_NEW_ISSUER ACME_CACHE ACME_DIRECTORY ACME_EMAIL ADD_SCOPE AGENT_PID AGENT_SOCK ALLOW
	ALLOW_ISSUER ALLOW_TOOL ALLOW_UNMASKED ARGS ASSUME_PKCE AUDIENCE AUDIT AUTHORIZATION_ENDPOINT AUTH_PARAM BASE_URL BROWSER_COMMAND
	BROWSER_SOCK CA_CERT CLIENT_AUTH CLIENT_ID CLIENT_KEY_AUDIENCE CLIENT_KEY_ID CLIENT_METADATA_URL CLIENT_NAME CLIENT_URI CONFIG
	CONFIRM COPY DENY_TOOL DEVICE_AUTHORIZATION_ENDPOINT DPOP EXPECT_AUDIENCE EXPECT_ISSUER EXPECT_SUBJECT FLOW FORMAT FORWARD_SOCKET
	IDP_CLIENT_ID IDP_ISSUER IDP_TOKEN_ENDPOINT ISSUER KEEPER KEEP_SINKS LISTEN LOGIN LOG_FILE LOG_FORMAT LOG_LEVEL METRICS_LISTEN
	MIN_TTL NO_BROWSER NO_QR NO_RESOURCE NO_SIGN_IN ONLY PREFIX PROFILE_DIR PROGRAM PROTOCOL PUBLIC READ_ONLY REDIRECT_HOST
	REDIRECT_PATH REDIRECT_PORT REDIRECT_URL REGISTRATION_ENDPOINT RELAY RETRY_EXPIRED REVOCATION_ENDPOINT SCOPE SESSIONS_PER_ADDRESS
	SESSION_LIFETIME SINK SOCKET SSH_OPTION STORE SUBJECT_TOKEN_TYPE TIMEOUT TLS_CERT TLS_KEY TOKEN_ENDPOINT TRANSPORT TRUSTED_PROXY
	USE_ID_TOKEN VAR VAULT_AUDIENCE VAULT_AUTH VAULT_AUTH_MOUNT VAULT_ROLE VAULT_WRAPPED WAIT`)

// TestOwnVariablesAreClassified: each variable that this program reads is either a
// secret, which is not passed to other programs, or harmless.
func TestOwnVariablesAreClassified(t *testing.T) {
	known := knownVariables(t)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		secret, open := slices.Contains(variables.OwnSecrets(), name), slices.Contains(harmless, strings.TrimPrefix(name, variables.OwnPrefix))
		if secret == open {
			t.Errorf("%s: add it to ownSecrets or harmless", name)
		}
		if !secret && regexp.MustCompile(`_FROM$|_COMMAND$|PASSPHRASE|SECRET|_TOKEN$`).MatchString(name) &&
			name != "MCP_LOGIN_BROWSER_COMMAND" && name != "MCP_LOGIN_USE_ID_TOKEN" {
			t.Errorf("%s looks like a secret", name)
		}
	}
	for _, name := range harmless {
		if !known[variables.OwnPrefix+name] {
			t.Errorf("%s%s is never read", variables.OwnPrefix, name)
		}
	}
}

// knownVariables returns the variables of flags and settings, and those that are
// named in string literals.
func knownVariables(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		for _, f := range l.Flags {
			if name := describeFlag(f).Variable; name != "" {
				known[name] = true
			}
		}
	}
	for _, k := range variables.WithoutFlag() {
		if strings.HasPrefix(k.Variable, variables.OwnPrefix) {
			known[k.Variable] = true
		}
	}
	name := regexp.MustCompile(`MCP_LOGIN_[A-Z0-9]+(_[A-Z0-9]+)*`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "e2e") {
			return err
		}
		for _, text := range texts(t, path) {
			for _, name := range name.FindAllString(text, -1) {
				known[name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// texts returns the string literals of a Go file.
func texts(t *testing.T, path string) (all []string) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var s scanner.Scanner
	s.Init(files.AddFile(path, -1, len(source)), source, nil, 0)
	for {
		_, tok, text := s.Scan()
		switch tok {
		case token.EOF:
			return all
		case token.STRING:
			all = append(all, text)
		}
	}
}

// TestOwnVariablesAreRejected: no profile, flag or hook sets a variable that
// configures this program.
func TestOwnVariablesAreRejected(t *testing.T) {
	for _, tt := range []struct{ line, hint string }{
		{"env login-id", "env login-id --prefix LOGIN_ID"},
		{"env login", "env login --prefix LOGIN"},
		{"env nobody LOGIN.x", "env LOGIN.x --prefix LOGIN_X"},
		{"env login-id --only URL", "env login-id --prefix LOGIN_ID"},
		{"env login-id --unset", "env login-id --prefix LOGIN_ID"},
		{"env --prefix mcp_login_x nobody", "env nobody --prefix LOGIN_X"},
		{"env --prefix MCP_LOGIN nobody", "env nobody --prefix LOGIN"},
		{"env --var TOKEN=MCP_LOGIN_ID_TOKEN nobody", "env nobody --var TOKEN=LOGIN_ID_TOKEN"},
		{"exec login-id true", "exec login-id --prefix LOGIN_ID -- COMMAND"},
		{"exec nobody --also login-id --keeper key-file true", "exec login-id --prefix LOGIN_ID --keeper key-file -- COMMAND"},
		{"exec --var TOKEN=MCP_LOGIN_STORE nobody true", "exec nobody --var TOKEN=LOGIN_STORE -- COMMAND"},
	} {
		e, out, stderr := testEnv(t)
		code := run(t.Context(), strings.Fields(tt.line), &e.env)
		if code != exit.BadUsage || out.String() != failure(strings.Fields(tt.line), code) || !strings.Contains(stderr.String(), "are mcp-login's own settings") || !strings.Contains(stderr.String(), "\nhint: mcp-login "+tt.hint+"\n") {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", tt.line, code, out, stderr)
		}
	}
	for _, line := range []string{"env log-in", "env login-id --prefix LOGIN_ID", "env loginx"} {
		e, _, stderr := testEnv(t)
		if code := run(t.Context(), strings.Fields(line), &e.env); code != exit.LoginRequired {
			t.Errorf("%s: exit code %d\n%s", line, code, stderr)
		}
	}
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	if code := j.run(t, "env", "demo", "--ci", "--var", "TOKEN=MCP_LOGIN_ID_TOKEN"); code != exit.BadUsage || j.out.Len() > 0 {
		t.Errorf("env --ci: exit code %d, standard output %q", code, j.out.String())
	}
}

// TestBrowserGetsNoVariablesOfThisProgram: a browser may keep running after this
// program.
func TestBrowserGetsNoVariablesOfThisProgram(t *testing.T) {
	got := variables.Public([]string{"PATH=/bin", "MCP_LOGIN_PASSPHRASE=hunter2", "MCP_LOGIN_STORE=file:/a", "HOME=/home/ada"})
	if want := []string{"PATH=/bin", "HOME=/home/ada"}; !slices.Equal(got, want) {
		t.Errorf("environment %q, want %q", got, want)
	}
}
