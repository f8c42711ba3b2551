package terminal

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// livePrompt shows a sign-in with a countdown and erases it when it is over.
//
// The cursor is hidden and stays at the top left of the frame. A line is reached
// by going down and coming back. Erasing the frame is then one "clear to the end
// of the screen", even after a resize: terminals that rewrap lines move the
// cursor with its line.
type livePrompt struct {
	tty  tty
	out  io.Writer // the terminal, for this program's escape sequences
	text *Display  // the terminal, for everything else
	tmux bool      // the terminal is inside tmux
	o    Options

	mu    sync.Mutex
	view  view
	shown []line // on the screen now; nil: nothing
	size  screen // for which shown was made
	quiet func() // restores the terminal; nil: not taken

	redraw chan struct{} // a request to redraw immediately
	stop   context.CancelFunc
	done   chan struct{} // closed when the goroutine that draws has erased the frame
}

func newLivePrompt(t tty, tmux bool, o Options) *livePrompt {
	return &livePrompt{tty: t, out: t, text: NewDisplay(t, false), tmux: tmux, o: o, redraw: make(chan struct{}, 1)}
}

// Show draws the sign-in and keeps it until ctx ends.
func (p *livePrompt) Show(ctx context.Context, s SignIn) {
	p.wait() // for the one before
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	events, unwatch := watchTerminal() // first, so that no Ctrl-Z finds the terminal taken
	p.mu.Lock()
	p.stop, p.done = stop, done
	p.view = view{signIn: s.sanitized(), qr: !p.o.NoQR}
	if p.o.Copy {
		p.write(clipboard(p.view.signIn.Code, p.tmux))
	}
	p.draw()
	p.mu.Unlock()
	go func() { // owned by wait
		defer close(done)
		defer unwatch()
		p.keep(ctx, events)
	}()
}

// Progress changes the line of state.
func (p *livePrompt) Progress(n Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view.progress = n
	select {
	case p.redraw <- struct{}{}:
	default:
	}
}

// Write shows text above the frame.
func (p *livePrompt) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown == nil {
		return p.text.Write(b)
	}
	p.erase()
	n, err := p.text.Write(b)
	p.draw()
	return n, err
}

// Retry asks whether to continue. Enter is yes; keys typed before the question
// do not count.
func (p *livePrompt) Retry(ctx context.Context) bool {
	p.wait()
	flushInput(p.tty.keys)
	const question = "the code expired. Press Enter for a new one, Ctrl-C to stop "
	release := p.tty.take() // otherwise the line would stay on the screen
	defer release()
	p.write(question)
	defer p.write("\r\x1b[J")
	return readEnter(ctx, p.tty)
}

// Close erases the frame and restores the terminal.
func (p *livePrompt) Close() error {
	p.wait()
	return nil
}

// wait ends the frame that is shown, if any, and returns when it is erased.
func (p *livePrompt) wait() {
	p.mu.Lock()
	stop, done := p.stop, p.done
	p.mu.Unlock()
	if stop == nil {
		return
	}
	stop()
	<-done
}

// keep redraws the frame each second, and when the window changes, until ctx
// ends.
func (p *livePrompt) keep(ctx context.Context, events <-chan terminalEvent) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.locked(p.end)
			return
		case e := <-events:
			p.locked(func() { p.react(e) })
		case <-tick.C:
			p.locked(p.draw)
		case <-p.redraw:
			p.locked(p.draw)
		}
	}
}

func (p *livePrompt) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// react redraws after a resize. Before the job stops (Ctrl-Z) it restores the
// terminal, and it takes it again when the job is in the foreground.
func (p *livePrompt) react(e terminalEvent) {
	if e == suspended {
		p.end()
		suspend() // returns when the job continues
	}
	p.erase()
	p.draw()
}

// take takes the terminal if this job is in the foreground: no echo, because
// typed keys would shift the frame, and no cursor.
func (p *livePrompt) take() bool {
	if p.quiet == nil && foreground(p.tty.keys) {
		p.quiet = p.tty.take()
		p.write("\x1b[?25l")
	}
	return p.quiet != nil
}

// end erases the frame and restores the terminal.
func (p *livePrompt) end() {
	if p.quiet == nil {
		return
	}
	p.erase()
	p.write("\x1b[?25h")
	p.quiet()
	p.quiet = nil
}

// draw updates the frame. It writes only the lines that changed, unless the
// window did.
func (p *livePrompt) draw() {
	if !p.take() {
		return
	}
	size := p.room()
	p.view.now = time.Now()
	frame := render(p.view, size)
	if !p.view.above && !shows(frame, p.view.signIn) {
		p.erase()
		_, _ = io.WriteString(p.text, p.view.signIn.text()) // it scrolls, but nothing is lost
		p.view.above = true
		frame = render(p.view, size)
	}
	if size != p.size || len(frame) != len(p.shown) || !sameFlow(frame, p.shown) {
		p.erase()
		p.size = size
		p.drawAll(frame)
	} else {
		p.drawChanged(frame)
	}
	p.shown = frame
}

// room is the window without its last line: a full window would scroll when
// text follows.
func (p *livePrompt) room() screen {
	cols, rows := p.tty.size()
	return screen{cols, max(rows-1, 1)}
}

// drawAll writes a whole frame. It turns off line wrapping, in case the terminal
// shows a character wider than width counts, except for a link that flows.
func (p *livePrompt) drawAll(frame []line) {
	var b strings.Builder
	for i, l := range joined(frame) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		if l.width() > p.size.cols {
			b.WriteString(l.ansi())
			continue
		}
		b.WriteString("\x1b[?7l" + l.ansi() + "\x1b[?7h")
	}
	b.WriteString("\r" + up(len(frame)-1))
	p.write(b.String())
}

// sameFlow reports whether the flowing lines of two frames with as many lines are
// equal: a flowing link must be written as a whole.
func sameFlow(a, b []line) bool {
	for i := range a {
		part := a[i].flows() || b[i].flows() || i > 0 && a[i-1].flows()
		if part && !slices.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (p *livePrompt) drawChanged(frame []line) {
	var b strings.Builder
	for i, l := range frame {
		if slices.Equal(l, p.shown[i]) {
			continue
		}
		b.WriteString(down(i) + "\x1b[?7l" + l.ansi() + "\x1b[K\x1b[?7h\r" + up(i))
	}
	p.write(b.String())
}

func (p *livePrompt) erase() {
	if p.shown != nil {
		p.write("\r\x1b[J")
	}
	p.shown = nil
}

// write is best effort: a closed terminal must not end a login.
func (p *livePrompt) write(s string) { _, _ = io.WriteString(p.out, s) }

func up(n int) string   { return move(n, 'A') }
func down(n int) string { return move(n, 'B') }

func move(n int, direction rune) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%d%c", n, direction)
}

// clipboard asks the terminal to copy s (OSC 52). Inside tmux it is sent twice:
// for tmux's own clipboard, and passed through to the terminal around it,
// because tmux's settings may allow either.
func clipboard(s string, tmux bool) string {
	osc := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(s)) + "\a"
	if tmux {
		return osc + "\x1bPtmux;" + strings.ReplaceAll(osc, "\x1b", "\x1b\x1b") + "\x1b\\"
	}
	return osc
}

// readEnter waits for a line from the terminal, or for ctx to end. The reading
// goroutine then leaks: a read of a terminal cannot be canceled, and the
// process is about to exit.
func readEnter(ctx context.Context, t tty) bool {
	line := make(chan error, 1)
	go func() {
		_, err := t.Read(make([]byte, 256))
		line <- err
	}()
	select {
	case err := <-line:
		return err == nil
	case <-ctx.Done():
		return false
	}
}
