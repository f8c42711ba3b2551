//go:build linux

package terminal

import (
	"context"
	"fmt"
	"image"
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
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// promptProcess is the environment variable that makes TestPromptProcess the
// program under test: a process with a prompt on its terminal.
const promptProcess = "MCP_LOGIN_TEST_PROMPT"

// TestPromptProcess is the process that the other tests run in a terminal. SIGINT
// ends it like Ctrl-C, SIGUSR1 like an expired code, and SIGUSR2 makes it write a
// log line.
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

	p := DevicePrompt{NewPrompt(processStreams(), Options{Copy: mode == "copy"})}
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
			io.WriteString(p, "a log line\n")
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

// processStreams returns the streams of this process, outside of any CI job.
func processStreams() Streams {
	getenv := func(name string) string {
		if name == "TERM" || name == "TMUX" {
			return os.Getenv(name)
		}
		return ""
	}
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: getenv, TTY: OpenTTY}
}

// openTerminal starts the program in a terminal with one line of text.
func openTerminal(t *testing.T, mode string, cols, rows int) *terminaltest.Terminal {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPromptProcess$")
	cmd.Env = append(os.Environ(), promptProcess+"="+mode, "TERM=xterm-256color", "NO_COLOR=", "TMUX=")
	return terminaltest.Start(t, cmd, cols, rows)
}

// timeLeft matches the remaining lifetime on the screen.
var timeLeft = regexp.MustCompile(`\d+:\d\d left`)

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

// scanScreen waits for the QR code on the screen and returns its text.
func scanScreen(t *testing.T, x *terminaltest.Terminal, dark bool) (text string) {
	t.Helper()
	x.WaitUntil("the code can be scanned", func() bool {
		var err error
		text, err = scan(x.Picture(dark))
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
				x.WaitFor("waiting for approval")
				x.WaitFor(code.c.UserCode)
				x.WaitFor(code.c.VerificationURI)
				for _, dark := range []bool{true, false} {
					if got := scanScreen(t, x, dark); got != code.c.VerificationURIComplete {
						t.Errorf("scanned (dark %v) = %q, want %q", dark, got, code.c.VerificationURIComplete)
					}
				}
				io.WriteString(x.PTY, "\x03") // Ctrl-C
				x.Finish("$ mcp-login login")
			})
		}
	}
}

func TestPromptCountsDown(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	seen := map[string]bool{}
	x.WaitUntil("the countdown showed three different times", func() bool { // a slow machine may skip seconds
		if left := timeLeft.FindString(x.Screen()); left != "" {
			seen[left] = true
		}
		return len(seen) == 3
	})
	if times := slices.Sorted(maps.Keys(seen)); times[2] > "15:00 left" || times[0] < "1" {
		t.Errorf("the countdown is %q", times)
	}
	if n := strings.Count(x.Screen(), "waiting for approval"); n != 1 {
		t.Errorf("the state is on the screen %d times:\n%s", n, x.Screen())
	}
	x.Signal(syscall.SIGINT)
	x.Finish("$ mcp-login login")
}

func TestTypedKeysLeaveNoTrace(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	x.WaitFor("waiting for approval")
	if x.Echo() {
		t.Error("echo is on while the code is shown")
	}
	io.WriteString(x.PTY, "what now\n\n\n\x03")
	x.Finish("$ mcp-login login")
}

func TestPromptFollowsTheWindow(t *testing.T) {
	t.Parallel()
	x := openTerminal(t, "short", 120, 40)
	x.WaitFor("waiting for approval")
	for _, size := range [][2]int{{60, 20}, {30, 12}, {100, 30}, {80, 24}} {
		resize(t, x, size[0], size[1])
		before := timeLeft.FindString(x.Screen())
		x.WaitUntil("the frame was drawn again, and is on the screen once", func() bool {
			screen := x.Screen()
			return timeLeft.FindString(x.Screen()) != before && strings.Contains(screen, "waiting") && strings.Contains(screen, testCode.UserCode) &&
				strings.Count(screen, " left") == 1
		})
	}
	if got := scanScreen(t, x, true); got != testCode.VerificationURIComplete {
		t.Errorf("scanned after resizes = %q", got)
	}
	x.Signal(syscall.SIGINT)
	x.Finish("$ mcp-login login")
}

func resize(t *testing.T, x *terminaltest.Terminal, cols, rows int) {
	t.Helper()
	x.VT.Resize(cols, rows)
	if err := pty.Setsize(x.PTY, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		t.Fatal(err)
	}
}

// TestNarrowerWindowKeepsTheLinkWhole: if the window becomes too narrow for the
// link, the terminal itself wraps it. Each time it is sent in one piece.
func TestNarrowerWindowKeepsTheLinkWhole(t *testing.T) {
	t.Parallel()
	link := longCode().VerificationURI
	x := openTerminal(t, "long", 120, 40)
	x.WaitFor(link)
	for _, cols := range []int{50, 33, 100} {
		resize(t, x, cols, 40)
		var rows []string
		for rest := link; rest != ""; rest = rest[min(cols, len(rest)):] {
			rows = append(rows, rest[:min(cols, len(rest))])
		}
		x.WaitUntil("the screen shows the link, from edge to edge", func() bool { return strings.Contains(x.Screen(), strings.Join(rows, "\n")) })
		x.WaitUntil("the frame is on the screen once", func() bool { return strings.Count(x.Screen(), " left") == 1 })
	}
	x.Signal(syscall.SIGINT)
	x.Finish("$ mcp-login login")
	raw := x.Raw.String()
	if start := link[:20]; strings.Count(raw, start) < 4 || strings.Count(raw, start) != strings.Count(raw, link) {
		t.Errorf("the link was sent in pieces:\n%q", raw)
	}
}

func TestLogLinesStandAboveTheCode(t *testing.T) {
	x := openTerminal(t, "short", 80, 30)
	x.WaitFor("waiting for approval")
	x.Signal(syscall.SIGUSR2)
	x.WaitFor("a log line")
	x.WaitFor("waiting for approval")
	x.Signal(syscall.SIGINT)
	x.Finish("$ mcp-login login\na log line")
}

func TestExpiredCodeIsReplacedWhenAsked(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	x.WaitFor("waiting for approval")
	io.WriteString(x.PTY, "\n") // not an answer to any prompt
	x.Signal(syscall.SIGUSR1)
	x.WaitFor("the code expired")
	if strings.Contains(x.Screen(), testCode.UserCode) {
		t.Errorf("the expired code is still shown:\n%s", x.Screen())
	}
	io.WriteString(x.PTY, "\n")
	x.WaitFor("MNPQ-RSTV")
	io.WriteString(x.PTY, "\x03")
	x.Finish("$ mcp-login login")
}

func TestSuspendGivesTheTerminalBack(t *testing.T) {
	x := openTerminal(t, "short", 80, 24)
	x.WaitFor("waiting for approval")
	x.Signal(syscall.SIGTSTP)
	x.WaitUntil("the frame is gone and the cursor back", func() bool {
		return x.CursorVisible() && !strings.Contains(x.Screen(), "waiting for approval")
	})
	x.WaitUntil("the process has stopped", func() bool { // an earlier SIGCONT would be lost
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", x.Cmd.Process.Pid))
		return err == nil && strings.Contains(string(stat), ") T ")
	})
	x.Signal(syscall.SIGCONT)
	x.WaitFor("waiting for approval")
	x.Signal(syscall.SIGINT)
	x.Finish("$ mcp-login login")
}

func TestCopyReachesTheTerminal(t *testing.T) {
	x := openTerminal(t, "copy", 80, 24)
	x.WaitFor("waiting for approval")
	x.Signal(syscall.SIGINT)
	x.Finish("$ mcp-login login")
	if want := "\x1b]52;c;QkNERi1HSEpL\a"; !strings.Contains(x.Raw.String(), want) {
		t.Errorf("terminal was not sent %q", want)
	}
}
