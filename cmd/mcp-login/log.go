package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/rs/zerolog"
)

func logLevels() []string { return []string{"trace", "debug", "info", "warn", "error", "disabled"} }

func logFormats() []string { return []string{"text", "json"} }

// newLog returns a log that writes to standard error through the redactor.
func (e *env) newLog(level, format string) (zerolog.Logger, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		return zerolog.Nop(), unknownValue("--log-level", level, logLevels())
	}
	e.hidden.Redirect(e.err)
	var w io.Writer = e.hidden
	switch format {
	case "json":
	case "text":
		w = &zerolog.ConsoleWriter{Out: e.hidden, NoColor: true, TimeFormat: time.TimeOnly}
	default:
		return zerolog.Nop(), unknownValue("--log-format", format, logFormats())
	}
	return zerolog.New(w).Level(l).With().Timestamp().Logger(), nil
}

// slog returns the logger for the libraries, which know the standard one only.
func (e *env) slog() *slog.Logger {
	if e.log.GetLevel() == zerolog.Disabled {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(zerolog.NewSlogHandler(e.log))
}
