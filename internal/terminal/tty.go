package terminal

import "os"

// tty is a terminal that is open for questions. A Windows console is two files:
// one for input and one for output.
type tty struct {
	keys   *os.File
	screen *os.File // the same file except on Windows
}

// open opens the terminal.
func (s Streams) open() (tty, error) {
	keys, err := s.TTY()
	if err != nil {
		return tty{}, err
	}
	screen, err := openScreen(keys)
	if err != nil {
		_ = keys.Close() // nothing was written
		return tty{}, err
	}
	return tty{keys, screen}, nil
}

// Write shows a text.
func (t tty) Write(b []byte) (int, error) { return t.screen.Write(b) }

// Read reads keys that were typed.
func (t tty) Read(b []byte) (int, error) { return t.keys.Read(b) }

// close closes the terminal. It ignores errors, because all text is already on
// the screen.
func (t tty) close() {
	_ = t.keys.Close()
	if t.screen != t.keys {
		_ = t.screen.Close()
	}
}

// escapes reports whether the terminal interprets escape sequences.
func (t tty) escapes() bool {
	restore, err := escapesOn(t.screen)
	if err != nil {
		return false
	}
	restore()
	return true
}

// take prepares the terminal for a frame, until release: no echo, and escape
// sequences on.
func (t tty) take() (release func()) {
	unmute := mute(t.keys)
	restore, err := escapesOn(t.screen)
	if err != nil { // it was possible when the prompt was chosen
		return unmute
	}
	return func() {
		restore()
		unmute()
	}
}
