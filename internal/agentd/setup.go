package agentd

import "github.com/mcp-login/mcp-login/internal/metricsweb"

// Setup is what a command line says of an agent beside its profiles and sockets.
type Setup struct {
	Named     []string               // the profiles that it keeps; none: all
	Sinks     []string               // as --sink has them
	KeepSinks bool                   // leave their files at the end
	Audit     func() (string, error) // path of the audit log
	Metrics   string                 // address to serve metrics at; "": none
	Dialog    func() (Dialog, error) // opens the terminal to ask at; nil: nobody is asked
	Say       func(format string, a ...any)
}

// Open opens what cfg needs. Close closes it, even if an error is returned.
func (s Setup) Open(cfg *Config) (log *AuditLog, closeAll func(), err error) {
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
	if cfg.Sinks, err = ParseSinks(s.Sinks, s.Named); err != nil {
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
