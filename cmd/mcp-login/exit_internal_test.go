package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

func TestRemedy(t *testing.T) {
	network := &url.Error{Op: "Post", URL: "https://as.test/token", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		name string
		err  error
		code int
		hint string
	}{
		{"anything else", errors.New("x"), exit.Failed, ""},
		{"usage", exit.Usagef("x"), exit.BadUsage, "mcp-login --help"},
		{"exit code of a program", fmt.Errorf("read client secret: %w", new(exec.ExitError)), exit.Failed, ""},
		{"exit code of a passphrase program", fmt.Errorf("read: %w", &secretref.PassphraseError{Err: new(exec.ExitError)}), exit.Store, ""},
		{"name", fmt.Errorf("profile: %w", secrets.ErrName), exit.BadUsage, ""},
		{"network", fmt.Errorf("refresh: %w", network), exit.Temporary, "mcp-login doctor URL"},
		{"overloaded", &oauth.Error{Status: 429}, exit.Temporary, "mcp-login doctor URL"},
		{"vault is restarting", fmt.Errorf("read: %w", secrets.ErrTemporary), exit.Temporary, "mcp-login store status --store 'file:/x y'"},
		{"login", &mcplogin.LoginRequiredError{Profile: "a b", Server: "https://mcp.test/x?y=1&z"}, exit.LoginRequired, "mcp-login login 'a b' 'https://mcp.test/x?y=1&z' --store 'file:/x y'"},
		{"login after a network fault", errors.Join(&mcplogin.LoginRequiredError{Profile: "a"}, network), exit.LoginRequired, "mcp-login login a URL --store 'file:/x y'"},
		{"another server", &mcplogin.ServerChangedError{Profile: "a", Given: "https://b.test"}, exit.Failed, "--force"},
		{"another issuer", &mcplogin.IssuerChangedError{Profile: "a"}, exit.LoginRequired, "--accept-new-issuer"},
		{"denied", fmt.Errorf("log in: %w", flows.ErrDenied), exit.Denied, ""},
		{"expired", fmt.Errorf("log in: %w", flows.ErrExpired), exit.TimedOut, ""},
		{"wait timed out", access.ErrTimedOut, exit.TimedOut, ""},
		{"store", fmt.Errorf("read: %w", secrets.ErrUnavailable), exit.Store, ""},
		{"damage", fmt.Errorf("read: %w", secrets.ErrUndecryptable), exit.Store, ""},
		{"record with an invalid field", &mcplogin.RecordError{Profile: "a b", Field: "flow"}, exit.Store, "mcp-login clear 'a b' --store 'file:/x y'\nthen: mcp-login login 'a b' URL"},
		{"undecryptable parcel", fmt.Errorf("import: %w", secrets.ErrUndecryptable), exit.Store, ""},
		{"passphrase", fmt.Errorf("read: %w", secrets.ErrPassphrase), exit.Store, "MCP_LOGIN_PASSPHRASE_FILE"},
		{"no keyring", fmt.Errorf("read: %w: %w", secrets.ErrUnavailable, keyring.ErrUnreachable), exit.Store, "mcp-login store rekey --keeper key-file"},
		{"no store", fmt.Errorf("unlock: %w", stores.ErrNoStore), exit.Store, "mcp-login login NAME URL"},
		{"newer record", fmt.Errorf("read: %w", mcplogin.ErrNewerRecord), exit.Store, ""},
		{"revocation failed", &mcplogin.LogoutError{Revoke: network}, exit.Failed, ""},
		{"removal failed", &mcplogin.LogoutError{Delete: secrets.ErrUnavailable}, exit.Store, ""},
		{"format", &envexport.Error{Format: envexport.Cmd, Value: true}, exit.Failed, "--format json"},
		{"name set twice", &envexport.Error{Format: envexport.Cmd}, exit.Failed, ""},
		{"child", fmt.Errorf("run: %w", &exit.Error{Code: 42}), 42, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, _, _ := testEnv(t)
			setVariables(e, map[string]string{"MCP_LOGIN_STORE": "file:/x y"})
			code, hint := e.Remedy().For(tt.err)
			if code != tt.code || !strings.Contains(hint, tt.hint) || tt.hint == "" && hint != "" {
				t.Errorf("For(%v) = %d, %q, want %d, %q", tt.err, code, hint, tt.code, tt.hint)
			}
		})
	}
}

func TestFinishWritesOneLine(t *testing.T) {
	e, out, stderr := testEnv(t)
	if code := e.finish(t.Context(), errors.Join(errors.New("a"), errors.New("b"))); code != exit.Failed {
		t.Errorf("exit code %d", code)
	}
	if stderr.String() != "mcp-login: a; b\n" || out.Len() > 0 {
		t.Errorf("standard error %q, standard output %q", stderr, out)
	}
}

func TestFinishOfAnInterruptedCommand(t *testing.T) {
	e, _, stderr := testEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := e.finish(ctx, errors.New("x")); code != exit.Interrupted || stderr.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}
