package agentd

import (
	"context"
	"errors"
	"log/slog"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/metricsweb"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Setup has the options of an agent, except its profiles.
type Setup struct {
	Socket    func() (string, error) // path of the socket
	Forward   string                 // path of the limited socket; "": none
	Allow     []string               // the profiles of the limited socket
	Sinks     []string               // values of --sink
	KeepSinks bool                   // keep their files when the agent stops
	Audit     func() (string, error) // path of the audit log
	Metrics   string                 // address to serve metrics at; "": none
	Dialog    func() (Dialog, error) // opens the terminal for confirmation; nil: no confirmation
	Log       *slog.Logger
	Getenv    func(name string) string
	Say       func(format string, a ...any)
}

// Serve runs an agent until ctx ends or a client stops it.
func (s Setup) Serve(ctx context.Context, kept *Kept, session mcplogin.Config) error {
	if err := kept.Start(ctx); err != nil {
		return err
	}
	defer kept.Close()
	ctx, end := context.WithCancel(ctx)
	defer end()
	cfg := Config{Log: s.Log, Profiles: kept.Profiles, Adapt: kept.Adapt, Session: session, End: end}
	log, closeAll, err := s.open(&cfg, kept.Named)
	defer closeAll()
	if err != nil {
		return err
	}
	a, err := New(cfg)
	if err != nil {
		return err
	}
	defer OnHangup(cfg.Log, terminal.Streams{TTY: terminal.OpenTTY}.CanAsk, end, func() error {
		return errors.Join(log.Reopen(), kept.Reload(), a.Reload(ctx))
	})()
	sockets, remove, err := s.sockets()
	defer remove()
	if err != nil {
		return err
	}
	return a.Run(ctx, sockets...)
}

// open opens what cfg needs. CloseAll closes it, even if an error is returned.
func (s Setup) open(cfg *Config, named []string) (log *AuditLog, closeAll func(), err error) {
	var open []func()
	closeAll = func() {
		for _, c := range open {
			c()
		}
	}
	if s.Dialog != nil {
		person, err := s.Dialog()
		if err != nil {
			return nil, closeAll, err
		}
		open = append(open, person.Close)
		cfg.Confirm = NewConfirmer(person).Confirm
	}
	if cfg.Sinks, err = ParseSinks(s.Sinks, named); err != nil {
		return nil, closeAll, err
	}
	for _, sink := range cfg.Sinks {
		s.Say("sink of %q: %s", sink.Profile, sink.Path)
	}
	cfg.KeepSinks = s.KeepSinks
	path, err := s.Audit()
	if err != nil {
		return nil, closeAll, err
	}
	if log, err = OpenAudit(path); err != nil {
		return nil, closeAll, err
	}
	open = append(open, log.Close)
	cfg.Audit = log
	if s.Metrics != "" {
		if cfg.Metrics, err = metricsweb.Listen(s.Metrics, s.Say); err != nil {
			return log, closeAll, err
		}
		open = append(open, func() { _ = cfg.Metrics.Close() }) // again, if it was served
	}
	return log, closeAll, nil
}
