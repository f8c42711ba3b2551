package agentd_test

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/agentd"
)

// TestHumanReadableLog: each event is one readable line, with times of today, and
// without internal details.
func TestHumanReadableLog(t *testing.T) {
	noon := time.Date(2030, 1, 2, 12, 0, 0, 0, time.Local)
	var zero time.Time
	for _, tt := range []struct {
		want  string
		level slog.Level
		text  string
		attrs []any
	}{
		{"notion: refreshed, expires 2030-01-02 12:00:00, next refresh 2030-01-02 12:00:00", slog.LevelInfo, "refreshed", []any{"expires_at", noon, "next_refresh", noon}},
		{"notion: keeping", slog.LevelInfo, "keeping", []any{"expires_at", zero, "next_refresh", zero}},
		{"notion: token issued to /usr/bin/curl (pid 12)", slog.LevelInfo, "token issued", []any{"socket", "agent", "pid", 12, "exe", "/usr/bin/curl"}},
		{"notion: token issued through forward (pid 12)", slog.LevelInfo, "token issued", []any{"socket", "forward", "pid", 12, "exe", ""}},
		{"notion: stopping after the requests in flight", slog.LevelInfo, "draining", nil},
		{"notion: not refreshed, next try in 2s: cannot reach mcp.test: connection refused", slog.LevelWarn, "not refreshed",
			[]any{"faults", 1, "again_in", "2s", "error", &url.Error{Op: "Post", URL: "https://mcp.test/token", Err: syscall.ECONNREFUSED}}},
		{"notion: sign in again: two; lines", slog.LevelWarn, "a sign-in is required", []any{"error", errors.New("two\nlines")}},
		{"notion: sign in again: the refresh token was revoked; run mcp-login login notion", slog.LevelWarn, "a sign-in is required",
			[]any{"error", &mcplogin.LoginRequiredError{Profile: "notion", Server: "https://mcp.test", Reason: "the refresh token was revoked"}}},
		{"notion: sign in again: no credential is stored; run mcp-login login notion URL", slog.LevelWarn, "a sign-in is required",
			[]any{"error", &mcplogin.LoginRequiredError{Profile: "notion", Reason: "no credential is stored"}}},
		{"", slog.LevelDebug, "silent", nil},
	} {
		var out strings.Builder
		slog.New(agentd.People{W: &out}).With("profile", "notion").Log(t.Context(), tt.level, tt.text, tt.attrs...)
		got := out.String()
		if tt.want == "" {
			if got != "" {
				t.Errorf("%s: %q", tt.text, got)
			}
			continue
		}
		rest, isWarning := strings.CutPrefix(got, "warning: ")
		if isWarning != (tt.level == slog.LevelWarn) || len(rest) < 9 || rest[9:] != tt.want+"\n" {
			t.Errorf("%s: %q, want a time and %q", tt.text, got, tt.want)
		}
	}
}
