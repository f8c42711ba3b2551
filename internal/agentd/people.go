package agentd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// People is a slog.Handler for the user: it prints each event as one line of
// text.
type People struct {
	W     io.Writer
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (p People) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// WithAttrs implements slog.Handler.
func (p People) WithAttrs(attrs []slog.Attr) slog.Handler {
	p.attrs = append(append([]slog.Attr{}, p.attrs...), attrs...)
	return p
}

// WithGroup implements slog.Handler. The agent makes no groups.
func (p People) WithGroup(string) slog.Handler { return p }

// Handle implements slog.Handler.
func (p People) Handle(_ context.Context, r slog.Record) error {
	e := event{text: inWords(r.Message)}
	for _, a := range p.attrs {
		e.add(a)
	}
	r.Attrs(func(a slog.Attr) bool {
		e.add(a)
		return true
	})
	line := r.Time.Format(time.TimeOnly) + " " + e.profile + e.text + e.exe + e.pid + e.details + e.cause
	if r.Level >= slog.LevelWarn {
		line = "warning: " + line
	}
	_, err := io.WriteString(p.W, terminal.Linef("%s", line))
	return err
}

// inWords returns a log message in plain language.
func inWords(message string) string {
	switch message {
	case "draining":
		return "stopping after the requests in flight"
	case "a sign-in is required":
		return "sign in again"
	}
	return message
}

// event is the content of one line.
type event struct{ profile, text, exe, pid, details, cause string }

// add adds one attribute as text. It omits attributes that do not matter to the
// user.
func (e *event) add(a slog.Attr) {
	value := a.Value.Resolve()
	switch a.Key {
	case "profile":
		e.profile = value.String() + ": "
	case "expires_at":
		e.details += at(", expires ", value)
	case "next_refresh":
		e.details += at(", next refresh ", value)
	case "again_in":
		e.details += ", next try in " + value.String()
	case "error":
		if err, ok := value.Any().(error); ok && err != nil {
			e.explain(err)
		}
	case "exe":
		if value.String() != "" {
			e.exe = " to " + value.String()
		}
	case "pid":
		if value.Int64() != 0 {
			e.pid = fmt.Sprintf(" (pid %d)", value.Int64())
		}
	case "faults":
	case "socket":
		if value.String() != "agent" {
			e.text += " through " + value.String()
		}
	default:
		e.details += ", " + strings.ReplaceAll(a.Key, "_", " ") + " " + value.String()
	}
}

// explain adds the cause of an error, and the command to run if known.
func (e *event) explain(err error) {
	e.cause = ": " + netfault.Text(err)
	if login, ok := errors.AsType[*mcplogin.LoginRequiredError](err); ok {
		run := suggest.MCPLogin("login", login.Profile)
		if login.Server == "" { // none is stored that login could sign in to again
			run = run.With("URL")
		}
		e.cause = ": " + login.Reason + "; run " + run.String()
	}
}

// at formats a time, with the date unless that is today.
func at(lead string, v slog.Value) string {
	if v.Kind() != slog.KindTime || v.Time().IsZero() {
		return ""
	}
	t, layout := v.Time().Local(), time.TimeOnly
	if t.Format(time.DateOnly) != time.Now().Format(time.DateOnly) {
		layout = time.DateTime
	}
	return lead + t.Format(layout)
}
