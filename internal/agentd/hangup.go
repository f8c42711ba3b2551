package agentd

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// OnHangup handles SIGHUP. From a service manager or the user it means reload. If
// the terminal was closed it means stop, as for any program that was started in it
// without nohup. The kernel detaches the terminal before it sends the SIGHUP.
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
