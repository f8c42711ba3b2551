//go:build linux

package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// drawn returns an emulated screen with the command line and the lines below it.
func drawn(cols, rows int, typed string, lines []line) vt10x.Terminal {
	text := typed + "\r\n"
	for _, l := range lines {
		text += l.ansi() + "\r\n"
	}
	return terminaltest.Show(cols, rows, strings.TrimSuffix(text, "\r\n"))
}

// TestPictureOfThePrompt: the pictures of README.md show the current prompt, and so
// do those of the usual sizes. -update draws them again.
func TestPictureOfThePrompt(t *testing.T) {
	signIn := deviceSignIn(terminaltest.Code()).sanitized()
	for path, size := range map[string]screen{"../../docs/prompt": {84, 24}, "testdata/prompt/picture-80x24": {80, 24}, "testdata/prompt/picture-120x40": {120, 40}} {
		frame := render(view{signIn: signIn, now: signIn.Expiry.Add(-14*time.Minute - 52*time.Second), qr: true}, screen{cols: size.cols, rows: size.rows - 2})
		if !shows(frame, signIn) {
			t.Fatal("the prompt lacks the link or the code")
		}
		vt := drawn(size.cols, size.rows, "$ mcp-login login example https://mcp.example.com/mcp", frame)
		title := "mcp-login shows a QR code, a link and a code to enter on any device"
		for name, theme := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
			terminaltest.Golden(t, path+"-"+name+".svg", terminaltest.SVG(vt, theme, title))
		}
	}
}
