package terminal

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth"
)

// goldenPrompt compares with a file in testdata/prompt.
func goldenPrompt(t *testing.T, name, got string) {
	t.Helper()
	terminaltest.Golden(t, filepath.Join("testdata", "prompt", name+".golden"), got)
}

var (
	start    = terminaltest.Now()
	testCode = terminaltest.Code()
)

// longCode returns a code with a link of realistic length.
func longCode() device.Code {
	c := testCode
	c.VerificationURI = "https://login.eu-central-1.identity.example-corporation.com/oauth2/device"
	c.VerificationURIComplete = c.VerificationURI + "?user_code=BCDF-GHJK&client=0123456789abcdef01234"
	c.Issuer = "https://auth.example-corporation.com"
	return terminaltest.WithHosts(c)
}

// crossDomainCode has its sign-in page in another domain than the issuer, and its token
// endpoint in a third.
func crossDomainCode() device.Code {
	c := longCode()
	as := oauth.Server{Issuer: testCode.Issuer, TokenEndpoint: "https://tokens.example-services.com/token"}
	c.Issuer, c.Hosts = as.Issuer, flows.HostsOf(c.Server, as, c.VerificationURI)
	return c
}

func TestRender(t *testing.T) {
	sizes := []struct {
		name string
		s    screen
	}{
		{"80x24", screen{80, 23}}, {"120x40", screen{120, 39}}, {"40x20", screen{40, 19}},
		{"20x10", screen{20, 9}}, {"8x3", screen{8, 2}},
	}
	codes := []struct {
		name string
		c    device.Code
	}{{"short", testCode}, {"long", longCode()}, {"stray", crossDomainCode()}}
	for _, size := range sizes {
		for _, code := range codes {
			name := code.name + "-" + size.name
			t.Run(name, func(t *testing.T) {
				frame := render(view{signIn: deviceSignIn(code.c), now: start.Add(28 * time.Second), qr: true}, size.s)
				goldenPrompt(t, name, frameText(frame))
				checkFrame(t, frame, code.c, size.s)
				if size.s.cols >= 80 && !strings.ContainsRune(frameText(frame), '█') {
					t.Errorf("frame lacks the QR code")
				}
				checkHosts(t, frame, code.c, size.s)
			})
		}
	}
}

// checkFrame checks what is true at every size.
func checkFrame(t *testing.T, frame []line, c device.Code, s screen) {
	t.Helper()
	if len(frame) > s.rows {
		t.Errorf("frame has %d lines, want at most %d", len(frame), s.rows)
	}
	for _, l := range frame {
		if l.width() > s.cols {
			t.Errorf("line %q is wider than %d", l, s.cols)
		}
	}
	if s.rows < 5 {
		return
	}
	all := frameText(frame)
	if !strings.Contains(all, c.UserCode) {
		t.Errorf("frame lacks the user code")
	}
	if !strings.Contains(strings.ReplaceAll(all, "\n", ""), c.VerificationURI) {
		t.Errorf("frame lacks the whole URL")
	}
}

// checkHosts checks that the hosts are in every frame that has room for them.
func checkHosts(t *testing.T, frame []line, c device.Code, s screen) {
	t.Helper()
	if s.rows < 18 {
		return
	}
	var all strings.Builder
	for _, l := range frame {
		for _, piece := range l {
			if piece.style != qrDark && piece.style != qrLight {
				all.WriteString(strings.ReplaceAll(piece.text, " ", ""))
			}
		}
	}
	for _, text := range append(HostWarning(c.Hosts), c.Hosts.Server, c.Hosts.SignIn, c.Hosts.Issuer) {
		if !strings.Contains(all.String(), strings.ReplaceAll(text, " ", "")) {
			t.Errorf("frame lacks %q", text)
		}
	}
}

func TestRenderEverySize(t *testing.T) {
	for cols := 16; cols <= 130; cols += 3 {
		for rows := 7; rows <= 50; rows++ {
			s := screen{cols, rows}
			checkFrame(t, render(view{signIn: deviceSignIn(testCode), now: start}, s), testCode, s)
			crossDomain := crossDomainCode()
			checkFrame(t, render(view{signIn: deviceSignIn(crossDomain), now: start, qr: true}, screen{cols, max(rows, 16)}), crossDomain, screen{cols, max(rows, 16)})
			frame := render(view{signIn: deviceSignIn(testCode), now: start, qr: true}, s)
			if len(frame) > rows || !strings.Contains(frameText(frame), testCode.UserCode) {
				t.Fatalf("frame of %d lines at %dx%d", len(frame), cols, rows)
			}
		}
	}
}

func TestState(t *testing.T) {
	now := start.Add(28 * time.Second)
	for _, tt := range []struct {
		name     string
		progress Progress
		cols     int
		want     string
	}{
		{"not polled yet", Progress{}, 40, "waiting for approval · 14:32 left"},
		{"pending", Progress{Status: Waiting}, 40, "waiting for approval · 14:32 left"},
		{"narrow", Progress{Status: Waiting}, 24, "waiting · 14:32 left"},
		{"very narrow", Progress{Status: Waiting}, 12, "14:32 left"},
		{"slow down", Progress{Status: SlowedDown}, 50, "waiting, slower as requested · 14:32 left"},
		{"unreachable", Progress{Status: Unreachable, Next: now.Add(20 * time.Second)}, 50, "no answer, next attempt in 20 s · 14:32 left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := panel{view: view{signIn: deviceSignIn(testCode), progress: tt.progress, now: now}, cols: tt.cols}
			if got := p.state().String(); got != tt.want {
				t.Errorf("state() = %q, want %q", got, tt.want)
			}
		})
	}
}

// frameText is a frame without colors: the QR code has blocks instead.
func frameText(frame []line) string {
	blocks := strings.NewReplacer(" ", "█", "▄", "▀")
	var b strings.Builder
	for _, l := range frame {
		var row strings.Builder
		for _, s := range l {
			if s.style == qrDark {
				s.text = blocks.Replace(s.text)
			}
			row.WriteString(s.text)
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

// TestReasonForNoQRIsTrue: with the room that the reason for a missing QR code
// names, there is a QR code.
func TestReasonForNoQRIsTrue(t *testing.T) {
	for _, c := range []device.Code{testCode, longCode(), crossDomainCode()} {
		for cols := 20; cols <= 140; cols += 15 {
			for rows := 6; rows <= 50; rows += 4 {
				v, s := view{signIn: deviceSignIn(c), now: start, qr: true}, screen{cols, rows}
				if besideQR(v, s) != nil {
					continue
				}
				var need, has screen
				if _, err := fmt.Sscanf(whyNoQR(v, s), "no QR code: it needs %d x %d characters, the window has %d x %d", &need.cols, &need.rows, &has.cols, &has.rows); err != nil {
					t.Fatal(err)
				}
				if need.cols <= has.cols && need.rows <= has.rows || besideQR(v, screen{need.cols, need.rows - 1}) == nil {
					t.Errorf("%d x %d: %s", cols, rows, whyNoQR(v, s))
				}
			}
		}
	}
}

// TestLinkIsNotBroken: a link longer than a line is wrapped by the terminal from
// edge to edge, so the frame contains it whole. If the window has no room for that,
// the link is printed above in one line, and no part of it is in the frame.
func TestLinkIsNotBroken(t *testing.T) {
	c := longCode()
	for cols := 16; cols < len(c.VerificationURI); cols += 7 {
		v := view{signIn: deviceSignIn(c), now: start, qr: true}
		frame := render(v, screen{cols, 30})
		if !shows(frame, v.signIn) {
			t.Errorf("the link does not fit %d columns", cols)
		}
		for _, l := range frame {
			if l.flows() && l.width() != cols {
				t.Errorf("%q is wrapped at %d columns", l, cols)
			}
		}
		if shows(render(v, screen{cols, 1}), v.signIn) {
			t.Errorf("link and code fit one line of %d columns", cols)
		}
		v.above = true
		if all := frameText(render(v, screen{cols, 30})); strings.Contains(all, "https://") || !strings.Contains(all, "link above") && cols > 40 {
			t.Errorf("%d columns: a part of the link is in\n%s", cols, all)
		}
		if !slices.Contains(strings.Split(v.signIn.text(), "\n"), "    "+c.VerificationURI) {
			t.Error("the text does not have the link in one line")
		}
	}
}
