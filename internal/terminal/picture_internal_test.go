//go:build linux

package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// drawn returns an emulated screen with what was typed and the lines below it.
func drawn(cols, rows int, typed string, lines []line) vt10x.Terminal {
	vt := vt10x.New(vt10x.WithSize(cols, rows))
	text := typed + "\r\n"
	for _, l := range lines {
		text += l.ansi() + "\r\n"
	}
	vt.Write([]byte(strings.TrimSuffix(text, "\r\n")))
	return vt
}

// TestPictureOfThePrompt: the pictures of README.md show the prompt as it is now.
// -update draws them again.
func TestPictureOfThePrompt(t *testing.T) {
	signIn := deviceSignIn(terminaltest.Code()).sanitized()
	frame := render(view{signIn: signIn, now: signIn.Expiry.Add(-14*time.Minute - 52*time.Second), qr: true}, screen{cols: 84, rows: 22})
	if !shows(frame, signIn) {
		t.Fatal("the prompt lacks the link or the code")
	}
	vt := drawn(84, 24, "$ mcp-login login example https://mcp.example.com/mcp", frame)
	title := "mcp-login shows a QR code, a link and a code to enter on any device"
	for name, theme := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
		terminaltest.Golden(t, "../../docs/prompt-"+name+".svg", terminaltest.SVG(vt, theme, title))
	}
}
