//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/sys/unix"

	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/await"
)

// promptProcess in the environment makes TestPromptProcess the program under
// test: a process with a prompt on its terminal.
const promptProcess = "MCP_LOGIN_TEST_PROMPT"

// TestPromptProcess is not a test of its own: the others run it in a terminal.
// SIGINT ends it as Ctrl-C ends the program, SIGUSR1 as an expired code,
// SIGUSR2 makes it write a log line.
func TestPromptProcess(t *testing.T) {
	mode := os.Getenv(promptProcess)
	if mode == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT)
	defer stop()
	expire, log := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(expire, syscall.SIGUSR1)
	signal.Notify(log, syscall.SIGUSR2)

	p := newPrompt(promptOptions{Out: os.Stdout, TTY: os.Stdin, Getenv: os.Getenv, Copy: mode == "copy"})
	code := testCode
	if mode == "long" {
		code = longCode()
	}
	code.Expiry = time.Now().Add(15 * time.Minute)
	showing, done := context.WithCancel(ctx)
	p.ShowCode(showing, code)
	for {
		select {
		case <-log:
			io.WriteString(p.(io.Writer), "a log line\n")
			continue
		case <-expire:
			done()
			if p.Retry(ctx) {
				code.UserCode = "MNPQ-RSTV"
				p.ShowCode(ctx, code)
				continue
			}
		case <-ctx.Done():
		}
		break
	}
	done()
	p.Close()
	os.Exit(130)
}

// terminal is a process in an emulated terminal.
type terminal struct {
	t    *testing.T
	vt   vt10x.Terminal
	pty  *os.File
	cmd  *exec.Cmd
	raw  bytes.Buffer  // all that was written, once over
	over chan struct{} // closed when the terminal hung up
}

// openTerminal starts the program in a terminal that shows a line already.
func openTerminal(t *testing.T, mode string, cols, rows int) *terminal {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPromptProcess$")
	cmd.Env = append(os.Environ(), promptProcess+"="+mode, "TERM=xterm-256color", "NO_COLOR=", "TMUX=")
	return inTerminal(t, cmd, cols, rows)
}

// inTerminal starts a command in a terminal that shows a line already.
func inTerminal(t *testing.T, cmd *exec.Cmd, cols, rows int) *terminal {
	t.Helper()
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, vt: vt10x.New(vt10x.WithSize(cols, rows)), pty: f, cmd: cmd, over: make(chan struct{})}
	io.WriteString(term.vt, "$ mcp-login login\r\n")
	go func() {
		defer close(term.over)
		r := bufio.NewReader(io.TeeReader(f, &term.raw))
		for term.vt.Parse(r) == nil { // keeps characters whole, as Write would not
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		f.Close()
		<-term.over
	})
	return term
}

func (x *terminal) screen() string { return x.vt.String() }

func (x *terminal) cursorVisible() bool {
	x.vt.Lock()
	defer x.vt.Unlock()
	return x.vt.CursorVisible()
}

// waitFor returns when the screen holds a text.
func (x *terminal) waitFor(text string) {
	x.t.Helper()
	x.waitUntil("the screen holds "+text, func() bool { return strings.Contains(x.screen(), text) })
}

func (x *terminal) waitUntil(what string, holds func() bool) {
	x.t.Helper()
	if !await.Until(holds) {
		x.t.Fatalf("waited in vain until %s:\n%s", what, x.screen())
	}
}

// timeLeft returns the remaining lifetime that the screen shows.
func (x *terminal) timeLeft() string { return timeLeft.FindString(x.screen()) }

var timeLeft = regexp.MustCompile(`\d+:\d\d left`)

func (x *terminal) signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

// finish waits for the process and checks what it left behind: nothing.
func (x *terminal) finish(want string) {
	x.t.Helper()
	err := x.cmd.Wait()
	if x.cmd.ProcessState.ExitCode() != 130 {
		x.t.Errorf("process ended with %v, want exit status 130", err)
	}
	<-x.over
	var kept []string
	for l := range strings.SplitSeq(x.screen(), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	if got := strings.Join(kept, "\n"); got != want {
		x.t.Errorf("left on the screen:\n%s\nwant:\n%s", got, want)
	}
	if !x.vt.CursorVisible() {
		x.t.Error("cursor is left hidden")
	}
	if strings.Contains(x.raw.String(), "\x1b[?1049") {
		x.t.Error("the other screen was used")
	}
}

// echo reports whether the terminal echoes what is typed.
func (x *terminal) echo() bool {
	x.t.Helper()
	conn, err := x.pty.SyscallConn()
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

// picture draws the screen as a terminal of a dark or light theme would, each
// half of a character as a square.
func (x *terminal) picture(dark bool) image.Image {
	x.vt.Lock()
	defer x.vt.Unlock()
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
	cols, rows := x.vt.Size()
	img := image.NewGray(image.Rect(0, 0, cols*px, rows*2*px))
	fill := func(col, half int, c color.Gray) {
		for i := range px * px {
			img.SetGray(col*px+i%px, half*px+i/px, c)
		}
	}
	for row := range rows {
		for col := range cols {
			g := x.vt.Cell(col, row)
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

func scan(img image.Image) (string, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// scan waits for the QR code on the screen and returns its text.
func (x *terminal) scan(dark bool) (text string) {
	x.t.Helper()
	x.waitUntil("the code can be scanned", func() bool {
		var err error
		text, err = scan(x.picture(dark))
		return err == nil
	})
	return text
}

func TestQRScansFromTheScreen(t *testing.T) {
	for _, size := range []struct {
		name       string
		cols, rows int
	}{{"80x24", 80, 24}, {"120x40", 120, 40}} {
		for _, code := range []struct {
			name string
			c    device.Code
		}{{"short", testCode}, {"long", longCode()}} {
			t.Run(code.name+" "+size.name, func(t *testing.T) {
				t.Parallel()
				x := openTerminal(t, code.name, size.cols, size.rows)
				x.waitFor("waiting for approval")
				x.waitFor(code.c.UserCode)
				x.waitFor(code.c.VerificationURI)
				for _, dark := range []bool{true, false} {
					if got := x.scan(dark); got != code.c.VerificationURIComplete {
						t.Errorf("scanned (dark %v) = %q, want %q", dark, got, code.c.VerificationURIComplete)
					}
				}
				io.WriteString(x.pty, "\x03") // Ctrl-C
				x.finish("$ mcp-login login")
			})
		}
	}
}

func TestPromptCountsDown(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	seen := map[string]bool{}
	x.waitUntil("the countdown showed three different times", func() bool { // a busy machine may skip seconds
		if left := x.timeLeft(); left != "" {
			seen[left] = true
		}
		return len(seen) == 3
	})
	if times := slices.Sorted(maps.Keys(seen)); times[2] > "15:00 left" || times[0] < "1" {
		t.Errorf("it counts through %q", times)
	}
	if n := strings.Count(x.screen(), "waiting for approval"); n != 1 {
		t.Errorf("the state is on the screen %d times:\n%s", n, x.screen())
	}
	x.signal(syscall.SIGINT)
	x.finish("$ mcp-login login")
}

func TestTypedKeysLeaveNoTrace(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	x.waitFor("waiting for approval")
	if x.echo() {
		t.Error("echo is on while the code is shown")
	}
	io.WriteString(x.pty, "what now\n\n\n\x03")
	x.finish("$ mcp-login login")
}

func TestPromptFollowsTheWindow(t *testing.T) {
	t.Parallel()
	x := openTerminal(t, "short", 120, 40)
	x.waitFor("waiting for approval")
	for _, size := range [][2]int{{60, 20}, {30, 12}, {100, 30}, {80, 24}} {
		x.vt.Resize(size[0], size[1])
		if err := pty.Setsize(x.pty, &pty.Winsize{Cols: uint16(size[0]), Rows: uint16(size[1])}); err != nil {
			t.Fatal(err)
		}
		before := x.timeLeft()
		x.waitUntil("the frame was drawn again, and stands there once", func() bool {
			screen := x.screen()
			return x.timeLeft() != before && strings.Contains(screen, "waiting") && strings.Contains(screen, testCode.UserCode) &&
				strings.Count(screen, " left") == 1
		})
	}
	if got := x.scan(true); got != testCode.VerificationURIComplete {
		t.Errorf("scanned after resizes = %q", got)
	}
	x.signal(syscall.SIGINT)
	x.finish("$ mcp-login login")
}

func TestLogLinesStandAboveTheCode(t *testing.T) {
	x := openTerminal(t, "short", 80, 30)
	x.waitFor("waiting for approval")
	x.signal(syscall.SIGUSR2)
	x.waitFor("a log line")
	x.waitFor("waiting for approval")
	x.signal(syscall.SIGINT)
	x.finish("$ mcp-login login\na log line")
}

func TestExpiredCodeIsReplacedWhenAsked(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	x.waitFor("waiting for approval")
	io.WriteString(x.pty, "\n") // answers no question
	x.signal(syscall.SIGUSR1)
	x.waitFor("the code expired")
	if strings.Contains(x.screen(), testCode.UserCode) {
		t.Errorf("the expired code is still shown:\n%s", x.screen())
	}
	io.WriteString(x.pty, "\n")
	x.waitFor("MNPQ-RSTV")
	io.WriteString(x.pty, "\x03")
	x.finish("$ mcp-login login")
}

func TestSuspendGivesTheTerminalBack(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	x.waitFor("waiting for approval")
	x.signal(syscall.SIGTSTP)
	x.waitUntil("the frame is gone and the cursor back", func() bool {
		return x.cursorVisible() && !strings.Contains(x.screen(), "waiting for approval")
	})
	x.signal(syscall.SIGCONT)
	x.waitFor("waiting for approval")
	x.signal(syscall.SIGINT)
	x.finish("$ mcp-login login")
}

func TestCopyReachesTheTerminal(t *testing.T) {
	x := openTerminal(t, "copy", 80, 24)
	x.waitFor("waiting for approval")
	x.signal(syscall.SIGINT)
	x.finish("$ mcp-login login")
	if want := "\x1b]52;c;QkNERi1HSEpL\a"; !strings.Contains(x.raw.String(), want) {
		t.Errorf("terminal was not sent %q", want)
	}
}
