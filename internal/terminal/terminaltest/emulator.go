//go:build linux

package terminaltest

import (
	"bufio"
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/mcp-login/mcp-login/internal/await"
)

// Terminal is a process in an emulated terminal.
type Terminal struct {
	t    testing.TB
	VT   vt10x.Terminal
	PTY  *os.File
	Cmd  *exec.Cmd
	Raw  bytes.Buffer  // all output; read it after Over is closed
	Over chan struct{} // closed when the terminal hung up
}

// Start starts a command in a terminal that shows the line that starts it.
func Start(t testing.TB, cmd *exec.Cmd, cols, rows int) *Terminal {
	t.Helper()
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	term := &Terminal{t: t, VT: vt10x.New(vt10x.WithSize(cols, rows)), PTY: f, Cmd: cmd, Over: make(chan struct{})}
	io.WriteString(term.VT, "$ "+Typed(cmd)+"\r\n")
	go func() {
		defer close(term.Over)
		r := bufio.NewReader(io.TeeReader(f, &term.Raw))
		for term.VT.Parse(r) == nil { // keeps characters whole, as Write would not
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		f.Close()
		<-term.Over
	})
	return term
}

// Typed returns the line that starts a command, or one for a test that plays the program.
func Typed(cmd *exec.Cmd) string {
	if name := filepath.Base(cmd.Path); name == "mcp-login" {
		return strings.Join(append([]string{name}, cmd.Args[1:]...), " ")
	}
	return "mcp-login login"
}

// Screen returns the text on the screen.
func (x *Terminal) Screen() string { return x.VT.String() }

// CursorVisible reports whether the cursor is shown.
func (x *Terminal) CursorVisible() bool {
	x.VT.Lock()
	defer x.VT.Unlock()
	return x.VT.CursorVisible()
}

// WaitFor returns when the screen holds a text.
func (x *Terminal) WaitFor(text string) {
	x.t.Helper()
	x.WaitUntil("the screen holds "+text, func() bool { return strings.Contains(x.Screen(), text) })
}

// WaitUntil returns when something holds.
func (x *Terminal) WaitUntil(what string, holds func() bool) {
	x.t.Helper()
	if !await.Until(holds) {
		x.t.Fatalf("timed out waiting until %s:\n%s", what, x.Screen())
	}
}

// Signal sends the process a signal.
func (x *Terminal) Signal(s os.Signal) {
	x.t.Helper()
	if err := x.Cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

// Finish waits for the process and checks what it left behind: nothing.
func (x *Terminal) Finish(want string) {
	x.t.Helper()
	err := x.Cmd.Wait()
	if x.Cmd.ProcessState.ExitCode() != 130 {
		x.t.Errorf("process ended with %v, want exit status 130", err)
	}
	<-x.Over
	var kept []string
	for l := range strings.SplitSeq(x.Screen(), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	if got := strings.Join(kept, "\n"); got != want {
		x.t.Errorf("left on the screen:\n%s\nwant:\n%s", got, want)
	}
	if !x.VT.CursorVisible() {
		x.t.Error("cursor is left hidden")
	}
	if strings.Contains(x.Raw.String(), "\x1b[?1049") {
		x.t.Error("the other screen was used")
	}
}

// Echo reports whether the terminal echoes what is typed.
func (x *Terminal) Echo() bool {
	x.t.Helper()
	conn, err := x.PTY.SyscallConn()
	if err != nil {
		x.t.Fatal(err)
	}
	var mode *unix.Termios
	failed := conn.Control(func(fd uintptr) { mode, err = unix.IoctlGetTermios(int(fd), unix.TCGETS) })
	if err := errors.Join(failed, err); err != nil {
		x.t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

// Picture draws the screen as a terminal of a dark or light theme would, each
// half of a character as a square.
func (x *Terminal) Picture(dark bool) image.Image {
	x.VT.Lock()
	defer x.VT.Unlock()
	const px = 4
	ink, paper := color.Gray{0xdd}, color.Gray{0x11}
	if !dark {
		ink, paper = paper, ink
	}
	shade := func(c vt10x.Color) color.Gray {
		switch c {
		case vt10x.DefaultBG:
			return paper
		case 16:
			return color.Gray{0}
		case 231:
			return color.Gray{255}
		default:
			return ink
		}
	}
	cols, rows := x.VT.Size()
	img := image.NewGray(image.Rect(0, 0, cols*px, rows*2*px))
	fill := func(col, half int, c color.Gray) {
		for i := range px * px {
			img.SetGray(col*px+i%px, half*px+i/px, c)
		}
	}
	for row := range rows {
		for col := range cols {
			g := x.VT.Cell(col, row)
			top, bottom := shade(g.BG), shade(g.BG)
			switch g.Char {
			case ' ', 0:
			case '▀':
				top = shade(g.FG)
			case '▄':
				bottom = shade(g.FG)
			default: // a full block, or a letter's ink
				top, bottom = shade(g.FG), shade(g.FG)
			}
			fill(col, 2*row, top)
			fill(col, 2*row+1, bottom)
		}
	}
	return img
}
