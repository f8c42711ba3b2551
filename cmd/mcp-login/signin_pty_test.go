//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// runDialog runs a command at a terminal and types an answer to each prompt.
func (p *account) runDialog(t *testing.T, line string, want int, dialog ...string) string {
	t.Helper()
	return p.converse(t, line, want, dialog, 80, 24, "TERM=dumb").Raw.String()
}

// runGoldenDialog is answers for a command whose last prompt is compared with a
// golden file.
func (p *account) runGoldenDialog(t *testing.T, golden, line string, want int, dialog ...string) {
	t.Helper()
	p.golden(t, golden, func(cols, rows int, env ...string) *terminaltest.Terminal {
		x := p.converse(t, line, want, dialog, cols, rows, env...)
		question := dialog[len(dialog)-2]
		x.Raw.Truncate(strings.Index(x.Raw.String(), question) + len(question))
		return x
	})
}

func (p *account) converse(t *testing.T, line string, want int, dialog []string, cols, rows int, env ...string) *terminaltest.Terminal {
	t.Helper()
	cmd := exec.Command(p.program, strings.Fields(line)...)
	cmd.Env = append(slices.Clone(p.env), env...)
	x := terminaltest.Start(t, cmd, cols, rows)
	for i := 0; i < len(dialog); i += 2 {
		x.WaitFor(dialog[i])
		if _, err := x.PTY.WriteString(dialog[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // the exit code is checked
	<-x.Over
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("%s: exit code %d, want %d\n%s", line, got, want, x.Screen())
	}
	return x
}

// TestSignInAgainNeedsConfirmation: a valid credential is replaced only after a yes.
func TestSignInAgainNeedsConfirmation(t *testing.T) {
	p := newAccount(t)
	const question = "Sign in again? [y/N]"
	for answer, again := range map[string]bool{"\n": false, "n\n": false, "y\n": true} {
		raw := p.runDialog(t, "login notion", exit.Done, question, answer)
		if !strings.Contains(raw, "already signed in to http://127.0.0.1") || strings.Contains(raw, "Approve only if") != again {
			t.Errorf("answer %q:\n%s", answer, raw)
		}
	}
	p.runGoldenDialog(t, "question-again", "login notion", exit.Done, question, "\n")
	if raw := p.runDialog(t, "login notion", exit.Interrupted, question, "\x03"); strings.Contains(raw, "Approve only if") {
		t.Errorf("the sign-in succeeded after Ctrl-C:\n%s", raw)
	}
}

// TestKnownServerNeedsConfirmation: the prompt names the host found in an MCP
// client's file.
func TestKnownServerNeedsConfirmation(t *testing.T) {
	p := newAccount(t)
	srv := httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}})
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	file := filepath.Join(filepath.Dir(p.program), ".cursor", "mcp.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"mcpServers":{"other":{"url":"`+srv.URL+`/mcp"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	question := "Sign in to " + strings.TrimPrefix(srv.URL, "http://") + "? [y/N]"
	p.runGoldenDialog(t, "question-known", "login other", exit.Denied, question, "n\n")
	if raw := p.runDialog(t, "login other", exit.Done, question, "y\n"); !strings.Contains(raw, "next: eval") {
		t.Error(raw)
	}
}

// TestServerFromMetadataNeedsConfirmation: the URL of a host leads to the MCP
// server in its metadata, and to the profile of that server.
func TestServerFromMetadataNeedsConfirmation(t *testing.T) {
	p := newAccount(t)
	fake := &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.NotFound(w, r)
		case "/.well-known/oauth-protected-resource":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"resource":"http://%[1]s/mcp","authorization_servers":["http://%[1]s"]}`, r.Host)
		default:
			fake.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	const question = "/mcp instead? [y/N]"
	p.runGoldenDialog(t, "question-below", "login below "+srv.URL+"/", exit.Failed, question, "n\n")
	raw := p.runDialog(t, "login below "+srv.URL+"/", exit.Done, question, "y\n")
	if !strings.Contains(raw, "signed in to "+srv.URL+"/mcp") {
		t.Error(raw)
	}
}

// TestNewPassphraseIsTypedTwice: a new passphrase is typed exactly twice, and the
// next command that is printed opens the store.
func TestNewPassphraseIsTypedTwice(t *testing.T) {
	p := newAccount(t)
	const first, second, words = "new passphrase: ", "repeat it: ", "correct horse battery\n"
	login := "login other " + p.url + " --flow device --keeper passphrase --store file:" + filepath.Dir(p.program) + "/secret"
	raw := p.runDialog(t, login, exit.Failed, first, words, second, "battery staple\n")
	if !strings.Contains(raw, "mcp-login: the passphrases do not match") || strings.Contains(raw, "Approve only if") {
		t.Errorf("two passphrases:\n%s", raw)
	}
	raw = p.runDialog(t, login, exit.Done, first, words, second, words)
	if n := strings.Count(raw, "passphrase: ") + strings.Count(raw, "passphrase of the store: "); n != 1 || strings.Contains(raw, "horse") {
		t.Errorf("%d prompts, and then one to repeat it:\n%s", n, raw)
	}
	_, next, _ := strings.Cut(raw, "next: mcp-login ")
	unlock, _, _ := strings.Cut(next, "\r\n")
	if unlock != "unlock --store file:"+filepath.Dir(p.program)+"/secret" {
		t.Fatalf("the next command is %q:\n%s", unlock, raw)
	}
	token := "token other --store file:" + filepath.Dir(p.program) + "/secret"
	p.runDialog(t, token, exit.Store)
	p.runDialog(t, unlock, exit.Done, "passphrase of the store: ", words)
	t.Cleanup(func() { p.runDialog(t, strings.Replace(unlock, "unlock", "lock", 1), exit.Done) })
	if raw := p.runDialog(t, token, exit.Done); strings.Contains(raw, "passphrase") {
		t.Errorf("after %s:\n%s", unlock, raw)
	}
}

// TestCtrlCLeavesNothing: a sign-in canceled with Ctrl-C leaves no record and no
// lock: the next one starts immediately.
func TestCtrlCLeavesNothing(t *testing.T) {
	p := newAccount(t)
	fake := &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second}}
	srv := httptest.NewServer(fake)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	login := "login other " + srv.URL + "/mcp --flow device"
	raw := p.runDialog(t, login, exit.Interrupted, "Waiting until", "\x03")
	if strings.Contains(raw, "hint:") || strings.Contains(raw, "mcp-login: ") {
		t.Errorf("Ctrl-C prints an explanation:\n%s", raw)
	}
	if raw := p.runDialog(t, "list", exit.Done); strings.Contains(raw, "other") {
		t.Errorf("a record is left:\n%s", raw)
	}
	p.runDialog(t, "status other", exit.LoginRequired)
	go func() { // approves the next code
		for !fake.ApproveDevice("WDJB-MJHD") && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if raw := p.runDialog(t, login, exit.Done); strings.Contains(raw, "waiting for another process") {
		t.Errorf("a lock is left:\n%s", raw)
	}
}

// TestReadersOfATerminal: a command that reads standard input says so at a terminal, and
// Ctrl-C ends it.
func TestReadersOfATerminal(t *testing.T) {
	p := newAccount(t)
	p.runDialog(t, "import", exit.Interrupted, "paste the export and press Ctrl-D, or run mcp-login import < FILE", "\x03")
	p.runDialog(t, "proxy notion", exit.Done, "next: mcp-login client-config notion", "\x04")
}
