package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// onHangup takes SIGHUP, which ends every other command. A service manager's, or
// a person's, means reload. That of a terminal that is gone means end, as for
// any program that was started in it, but for one that nohup keeps.
func (e *env) onHangup(end func(), reload func() error) (stop func()) {
	ends := !signal.Ignored(syscall.SIGHUP) && hasTerminal()
	signal.Reset(syscall.SIGHUP)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-hangup:
			}
			if ends && !hasTerminal() {
				e.log.Warn().Msg("the terminal is gone")
				end()
				return
			}
			if err := reload(); err != nil {
				e.log.Error().Err(err).Msg("not reloaded")
				continue
			}
			e.log.Info().Msg("reloaded")
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(done)
	}
}

// hasTerminal reports whether this process has a controlling terminal: the
// kernel takes it away before it sends SIGHUP for its end.
func hasTerminal() bool { return terminal.Streams{TTY: terminal.OpenTTY}.CanAsk() }
