package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// OpenTTY opens the input of the console, even if the standard streams are
// redirected.
func OpenTTY() (*os.File, error) { return os.OpenFile("CONIN$", os.O_RDWR, 0) }

// openScreen opens the output of the console.
func openScreen(*os.File) (*os.File, error) { return os.OpenFile("CONOUT$", os.O_RDWR, 0) }

// consoleANSI: the console understands escape sequences without saying so in
// TERM.
const consoleANSI = true

// escapesOn makes a console interpret escape sequences, until restore. A
// console before Windows 10 cannot.
func escapesOn(screen *os.File) (restore func(), err error) {
	return changeMode(screen, func(mode uint32) uint32 {
		return mode | windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	})
}

// changeMode changes the mode of one side of a console, until restore.
func changeMode(side *os.File, change func(uint32) uint32) (restore func(), err error) {
	h := windows.Handle(side.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return nil, err
	}
	if err := windows.SetConsoleMode(h, change(mode)); err != nil {
		return nil, err
	}
	return func() { _ = windows.SetConsoleMode(h, mode) }, nil // best effort: it may be gone
}

// terminalEvent is something that happened to the terminal.
type terminalEvent int

const suspended terminalEvent = 1

// watchTerminal reports nothing: the prompt checks the size each second.
func watchTerminal() (events <-chan terminalEvent, unwatch func()) {
	return nil, func() {}
}

func suspend() {}

func foreground(*os.File) bool { return true }

// mute turns echo off, so that typed keys do not shift what is shown. Ctrl-C
// still interrupts.
func mute(keys *os.File) (restore func()) {
	restore, err := changeMode(keys, func(mode uint32) uint32 { return mode &^ windows.ENABLE_ECHO_INPUT })
	if err != nil {
		return func() {}
	}
	return restore
}

// flushInput drops what was typed before a question.
func flushInput(keys *os.File) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(keys.Fd())) // best effort
}
