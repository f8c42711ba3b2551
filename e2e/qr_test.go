//go:build e2e

package e2e

import (
	"bufio"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestQRScansFromARealTerminal signs in inside an xterm of 80x24, takes a screenshot,
// and reads the link with a barcode reader.
func TestQRScansFromARealTerminal(t *testing.T) {
	display := startX(t)
	for _, theme := range []struct{ name, foreground, background string }{{"dark", "gray90", "black"}, {"light", "black", "white"}} {
		t.Run(theme.name, func(t *testing.T) {
			var srv oauthtest.Server
			web := httptest.NewServer(&srv)
			t.Cleanup(web.Close)

			h := newHome(t)
			xterm := exec.CommandContext(t.Context(), "xterm", "-u8", "-geometry", "80x24+0+0",
				"-fa", "DejaVu Sans Mono", "-fs", "11", "-fg", theme.foreground, "-bg", theme.background,
				"-e", program, "login", "notes", web.URL+"/mcp")
			xterm.Env = append(h.env, "DISPLAY="+display, "LC_ALL=C.UTF-8")
			if err := xterm.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- xterm.Wait() }()

			const userCode = "WDJB-MJHC" // the first code of the fake server
			want := web.URL + "/device?user_code=" + userCode
			scanned := scanScreen(t, display, filepath.Join(picturesDir(t), theme.name+".png"))
			if scanned != want {
				t.Errorf("scanned %q, want %q", scanned, want)
			}
			if !srv.ApproveDevice(userCode) {
				t.Fatalf("no sign-in waits for %s", userCode)
			}
			_ = await.Receive(t, "the program and xterm have exited", ended) // xterm's exit status is not that of the program
			recordTokens(srv.Issued()...)
			checkNoPlaintextToken(t, h.dir, srv.Issued())
			if r := h.run("status", "notes"); r.code != 0 {
				t.Errorf("status after the sign-in: exit %d, %s", r.code, r.stderr)
			}
		})
	}
}

// picturesDir returns the folder for the screenshots: E2E_PICTURES, or a temporary one.
func picturesDir(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("E2E_PICTURES"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// startX starts an X server without a screen and returns its display.
func startX(t *testing.T) (display string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := exec.CommandContext(t.Context(), "Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	err = x.Start()
	w.Close() // the server has its own copy
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.Process.Kill() // it may have exited
		_ = x.Wait()         // it was killed
	})
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb printed no display: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// scanScreen takes screenshots until a barcode reader finds something in one, and
// returns its content.
func scanScreen(t *testing.T, display, picture string) string {
	t.Helper()
	var found string
	await.True(t, "a QR code can be read from the screen", func() bool {
		shoot := exec.Command("sh", "-c", `xwd -silent -root -display "$1" | xwdtopnm 2>/dev/null | pnmtopng 2>/dev/null > "$2"`, "sh", display, picture)
		if out, err := shoot.CombinedOutput(); err != nil {
			t.Fatalf("screenshot: %v\n%s", err, out)
		}
		out, err := exec.Command("zbarimg", "--quiet", "--raw", picture).Output()
		found = strings.TrimSpace(string(out))
		return err == nil
	})
	return found
}
