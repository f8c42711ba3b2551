// Package interrupt ends a context when the user or the system interrupts the
// program. It must not know what the program does, nor what it cleans up.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// Context returns a context that ends at SIGINT, SIGTERM or SIGHUP. A second signal
// ends the program immediately. A signal that was ignored at the start, as with nohup,
// stays ignored.
//
// It listens from the first call of Done on, that is, as soon as the program waits for
// something. Before that, a signal ends the program as it ends any other: most commands
// never wait, and listening would take a tenth of their start. Code that must restore
// something when it is interrupted calls Done first.
func Context() context.Context { return &listener{Context: context.Background()} }

// listener is a context that listens for signals once the program waits for it.
type listener struct {
	context.Context // before that
	once            sync.Once
	listening       atomic.Pointer[context.Context]
}

// Done starts to listen.
func (l *listener) Done() <-chan struct{} {
	l.once.Do(func() {
		ctx, cancel := context.WithCancel(l.Context)
		first := make(chan os.Signal, 1)
		signal.Notify(first, signals()...)
		go func() { // until the program ends
			<-first
			signal.Stop(first) // not later, so that no second signal is lost
			cancel()
		}()
		l.listening.Store(&ctx)
	})
	return l.current().Done()
}

// Err implements [context.Context].
func (l *listener) Err() error { return l.current().Err() }

// Value implements [context.Context]. It lets the context package find the context
// that is canceled, so that one derived from it needs no goroutine.
func (l *listener) Value(key any) any { return l.current().Value(key) }

func (l *listener) current() context.Context {
	if ctx := l.listening.Load(); ctx != nil {
		return *ctx
	}
	return l.Context
}

// signals are those that end a program and are not ignored.
func signals() (all []os.Signal) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}
