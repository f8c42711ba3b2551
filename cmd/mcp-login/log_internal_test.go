package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/redact"
)

// TestLogRedacts: a secret that is logged by mistake is redacted in every format.
func TestLogRedacts(t *testing.T) {
	const known, jwt = "s3cret-known-by-value", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2ln"
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			e, _, stderr := testEnv(t)
			var err error
			if e.log, err = e.newLog("trace", format); err != nil {
				t.Fatal(err)
			}
			e.hidden.Hide(known, "short")
			l := e.slog()
			l.Info("value "+known, "a", known, "error", errors.New("sent "+known))
			l.Info("shape", "header", "Authorization: Bearer abc.DEF-_~+/123==", "id", jwt)
			l.Info("key", "access_token", "plainvalue1", "refresh_token", `quote"plainvalue2`, "Client_Secret", "plainvalue3")
			l.Info("form code_verifier=plainvalue4&x=1 device_code=plainvalue5")
			l.With("password", "plainvalue6").Debug("kept a short word")
			got := stderr.String()
			for _, secret := range []string{known, "abc.DEF", "eyJ", "plainvalue"} {
				if strings.Contains(got, secret) {
					t.Errorf("%q is in the log:\n%s", secret, got)
				}
			}
			if n := strings.Count(got, "\n"); n != 5 || !strings.Contains(got, redact.Redacted) || !strings.Contains(got, "kept a short word") {
				t.Errorf("log of %d lines:\n%s", n, got)
			}
		})
	}
}

// TestLogRedactsTokensOfAnyVisibleASCII: tokens may have any visible ASCII
// characters, and are redacted as a whole.
func TestLogRedactsTokensOfAnyVisibleASCII(t *testing.T) {
	const known, unknown = `user:grant:kno"wn\secret`, `user:grant!$&'()*:unknown-secret`
	for _, format := range []string{"text", "json"} {
		e, _, stderr := testEnv(t)
		var err error
		if e.log, err = e.newLog("trace", format); err != nil {
			t.Fatal(err)
		}
		e.hidden.Hide(known)
		l := e.slog()
		l.Info("by value", "a", known, "error", errors.New("sent "+known))
		l.Info("by shape", "header", "Authorization: Bearer "+unknown, "next", "kept")
		e.finish(t.Context(), errors.New("sent Bearer "+unknown+" in vain"))
		got := stderr.String()
		if strings.Contains(got, "grant") || strings.Contains(got, "secret") {
			t.Errorf("%s: a part of a token is in the log:\n%s", format, got)
		}
		if strings.Count(got, "kept") != 1 || !strings.Contains(got, "in vain") {
			t.Errorf("%s: more than the token was redacted:\n%s", format, got)
		}
	}
}

// TestErrorTextIsRedacted: the error of a command is redacted too.
func TestErrorTextIsRedacted(t *testing.T) {
	e, _, stderr := testEnv(t)
	e.hidden.Hide("s3cret-known-by-value")
	e.finish(t.Context(), errors.New("post: s3cret-known-by-value was refused"))
	if got := stderr.String(); strings.Contains(got, "s3cret") || !strings.Contains(got, "was refused") {
		t.Errorf("standard error %q", got)
	}
}
