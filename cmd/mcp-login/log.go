package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/mcp-login/mcp-login/internal/completion"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/rs/zerolog"
)

// newLog returns a log that writes to standard error through the redactor.
func (e *call) newLog(level, format string) (zerolog.Logger, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		return zerolog.Nop(), exit.Unknown("--log-level", level, completion.LogLevels())
	}
	e.hidden.Redirect(e.err)
	var w io.Writer = e.hidden
	switch format {
	case "json":
	case "text":
		w = &zerolog.ConsoleWriter{Out: e.hidden, NoColor: true, TimeFormat: time.TimeOnly}
	default:
		return zerolog.Nop(), exit.Unknown("--log-format", format, completion.LogFormats())
	}
	return zerolog.New(w).Level(l).With().Timestamp().Logger(), nil
}

// slog returns the logger for the libraries, which use log/slog.
func (e *call) slog() *slog.Logger {
	if e.log.GetLevel() == zerolog.Disabled {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(zerolog.NewSlogHandler(e.log))
}
