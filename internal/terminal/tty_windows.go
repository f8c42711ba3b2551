package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// OpenTTY opens the console's input, whatever the standard streams are
// redirected to.
func OpenTTY() (*os.File, error) { return os.OpenFile("CONIN$", os.O_RDWR, 0) }

// consoleANSI: the console understands escape sequences without saying so in
// TERM.
const consoleANSI = true

// terminalEvent is something that happened to the terminal.
type terminalEvent int

const suspended terminalEvent = 1

// watchTerminal reports nothing: the prompt checks the size each second.
func watchTerminal() (events <-chan terminalEvent, unwatch func()) {
	return nil, func() {}
}

func suspend() {}

func foreground(*os.File) bool { return true }

// muteTerminal turns escape sequences on until restore.
func muteTerminal(tty *os.File) (restore func()) {
	h := windows.Handle(tty.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return func() {}
	}
	if windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) != nil {
		return func() {}
	}
	return func() { _ = windows.SetConsoleMode(h, mode) } // best effort: it may be gone
}

// flushInput drops what was typed before a question.
func flushInput(tty *os.File) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(tty.Fd())) // best effort
}
