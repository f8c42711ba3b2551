//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenTTY opens the controlling terminal, even if the standard streams are
// redirected.
func OpenTTY() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }

// openScreen returns the terminal itself, which shows text too.
func openScreen(keys *os.File) (*os.File, error) { return keys, nil }

// consoleANSI is false: without TERM the terminal is unknown.
const consoleANSI = false

// escapesOn does nothing: a terminal that supports escape sequences always
// interprets them.
func escapesOn(*os.File) (restore func(), err error) { return func() {}, nil }

// terminalEvent is something that happened to the terminal.
type terminalEvent int

const (
	resized terminalEvent = iota
	suspended
)

// watchTerminal reports resizes and Ctrl-Z until unwatch.
func watchTerminal() (events <-chan terminalEvent, unwatch func()) {
	signals := make(chan os.Signal, 4)
	out := make(chan terminalEvent, 4)
	signal.Notify(signals, unix.SIGWINCH, unix.SIGTSTP)
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case s := <-signals:
				e := resized
				if s == unix.SIGTSTP {
					e = suspended
				}
				select {
				case out <- e:
				case <-quit:
					return
				}
			case <-quit:
				return
			}
		}
	}()
	return out, func() {
		signal.Stop(signals)
		close(quit)
		<-gone
	}
}

// suspend stops this process as Ctrl-Z does, and returns when it continues. It
// waits for SIGCONT, because the stop itself can take effect late.
func suspend() {
	resume := make(chan os.Signal, 1)
	signal.Notify(resume, unix.SIGCONT)
	defer signal.Stop(resume)
	if syscall.Kill(os.Getpid(), unix.SIGSTOP) == nil {
		<-resume
	}
}

// foreground reports whether this process may use the terminal. The kernel stops
// a background job that changes the terminal's settings, and its output would
// disturb the foreground job.
func foreground(tty *os.File) bool {
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp() // an error: no job control here
}

// mute turns echo off, so that typed keys do not shift what is shown.
// Ctrl-C and Ctrl-Z still send signals.
func mute(tty *os.File) (restore func()) {
	fd := int(tty.Fd())
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {}
	}
	muted := *old
	muted.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(fd, setTermios, &muted) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, old) } // best effort: it may be gone
}
