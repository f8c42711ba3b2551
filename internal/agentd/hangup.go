package agentd

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// OnHangup takes SIGHUP, which ends every other command. A service manager's, or
// a person's, means reload. That of a terminal that is gone means end, as for
// any program that was started in it, except one that nohup keeps. The kernel takes
// the terminal away before it sends SIGHUP for its end.
func OnHangup(log *slog.Logger, hasTerminal func() bool, end func(), reload func() error) (stop func()) {
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
				log.Warn("the terminal was closed")
				end()
				return
			}
			if err := reload(); err != nil {
				log.Error("not reloaded", "error", err)
				continue
			}
			log.Info("reloaded")
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(done)
	}
}
