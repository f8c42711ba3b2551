//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

// terminalUser is a user at the agent's terminal.
type terminalUser struct {
	t   *testing.T
	pty *os.File
	c   *agentd.Confirmer
	e   *call

	mu    sync.Mutex
	shown string
	read  int // of the output seen so far
}

func newTerminalUser(t *testing.T) *terminalUser {
	t.Helper()
	master, slave, err := pty.Open()
	if err == nil {
		err = pty.Setsize(slave, &pty.Winsize{Cols: 80, Rows: 24})
	}
	if err != nil {
		t.Fatal(err)
	}
	master = closable(t, master)
	t.Cleanup(func() { master.Close() })
	p := &terminalUser{t: t, pty: master}
	p.e, _, _ = testEnv(t)
	p.e.tty = func() (*os.File, error) { return slave, nil }
	p.e.err = slave
	if p.e.log, err = p.e.newLog("info", "text"); err != nil {
		t.Fatal(err)
	}
	terminal, err := agentd.OpenDialog(p.e.streams(), p.e.hidden.Redirect)
	if err != nil {
		t.Fatal(err)
	}
	p.c = agentd.NewConfirmer(terminal)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.shown += strings.ReplaceAll(string(buf[:n]), "\r\n", "\n")
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p
}

// closable returns a file whose Close does not wait for a Read.
func closable(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := syscall.Dup(int(f.Fd()))
	if err == nil {
		err = errors.Join(syscall.SetNonblock(fd, true), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

var promptPattern = regexp.MustCompile(`Issue a token of\s[^?]*\?\ntype ([A-Z]{2}) to allow, n to deny \(\d+ s\): `)

// waitFor waits for text that was not seen before. It returns the match and all text
// up to it.
func (p *terminalUser) waitFor(want *regexp.Regexp) (match []string, before string) {
	p.t.Helper()
	if !await.Until(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		text := p.shown[p.read:]
		if at := want.FindStringSubmatchIndex(text); at != nil {
			p.read += at[1]
			match, before = want.FindStringSubmatch(text), text[:at[1]]
		}
		return match != nil
	}) {
		p.t.Fatalf("no %s in %q", want, p.shown)
	}
	return match, before
}

// types writes to the terminal and returns once the echo is complete, because
// then the confirmer can read the text. Ctrl-D is not echoed.
func (p *terminalUser) types(text string) {
	p.t.Helper()
	shown := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.shown)
	}
	echoed := shown() + len(strings.ReplaceAll(text, "\x04", ""))
	if _, err := io.WriteString(p.pty, text); err != nil {
		p.t.Fatal(err)
	}
	await.True(p.t, "the terminal echoes what was typed", func() bool { return shown() >= echoed })
}

// repeatedPromptPattern is the prompt after an invalid answer. The confirmer
// ignores lines that arrive before this prompt.
var repeatedPromptPattern = regexp.MustCompile(`unrecognized answer; type [A-Z]{2} to allow, n to deny \(\d+ s\): `)

// prompt starts a confirmation for a profile.
func (p *terminalUser) prompt(ctx context.Context, profile string) (answer chan error) {
	answer = make(chan error, 1)
	go func() {
		answer <- p.c.Confirm(ctx, agentd.Request{Socket: "forward", Profile: profile, Peer: privsock.Peer{PID: 7, Exe: "/bin/\x1b[2Jcurl"}})
	}()
	return answer
}

// TestConfirm answers the agent's confirmation prompts at a real terminal.
func TestConfirm(t *testing.T) {
	p := newTerminalUser(t)
	for _, tt := range []struct {
		typed string // KX is replaced by the code
		yes   bool
	}{
		{"KX\n", true}, {"kx\n", true}, {" KX \n", true}, {"n\n", false}, {"No\n", false},
		{"y\nKX\n", true}, {"yes\nn\n", false}, {"\nKX\n", true}, {"\x04KX\n", true},
	} {
		answer := p.prompt(t.Context(), "notion")
		code, text := p.waitFor(promptPattern)
		if !strings.Contains(text, "\nIssue a token of \"notion\" to /bin/") || strings.Contains(text, "\x1b") {
			t.Errorf("prompt %q", text)
		}
		typed := strings.NewReplacer("KX", code[1], "kx", strings.ToLower(code[1])).Replace(tt.typed)
		wrong, right, both := strings.Cut(typed, "\n")
		if !both || right == "" {
			p.types(typed)
		} else {
			p.types(wrong + "\n")
			p.waitFor(repeatedPromptPattern)
			p.types(right)
		}
		if err := <-answer; (err == nil) != tt.yes {
			t.Errorf("%q: %v", tt.typed, err)
		}
	}
	p.c.Timeout = 100 * time.Millisecond
	if err := <-p.prompt(t.Context(), "notion"); err == nil {
		t.Error("a prompt without an answer was confirmed")
	}
}

// TestConfirmAnswersItsOwn: text typed for another prompt, or before any prompt,
// does not answer a prompt.
func TestConfirmAnswersItsOwn(t *testing.T) {
	p := newTerminalUser(t)
	p.types("y") // before any prompt
	ctx, cancel := context.WithCancel(t.Context())
	a := p.prompt(ctx, "a")
	code, _ := p.waitFor(promptPattern)
	p.types(code[1]) // for a, before Enter
	b := p.prompt(t.Context(), "b")
	cancel()
	if err := <-a; err == nil {
		t.Error("a was confirmed")
	}
	other, text := p.waitFor(promptPattern)
	if !strings.Contains(text, "\nwithdrawn: the client has disconnected\n\nIssue a token of \"b\" to ") || other[1] == code[1] {
		t.Errorf("output after the first prompt: %q", text)
	}
	for _, typed := range []string{"\n", "y\n", code[1] + "\n"} {
		p.types(typed)
		p.waitFor(repeatedPromptPattern)
		select {
		case err := <-b:
			t.Fatalf("%q answered b: %v", typed, err)
		default:
		}
	}
	p.types(other[1] + "\n")
	if err := <-b; err != nil {
		t.Error(err)
	}
}

// TestConfirmInTurn: a request that waited behind another prompt still gets the
// full time for its own prompt.
func TestConfirmInTurn(t *testing.T) {
	p := newTerminalUser(t)
	p.c.Timeout = 100 * time.Millisecond
	start := time.Now()
	first := p.prompt(t.Context(), "a")
	p.waitFor(promptPattern)
	second := p.prompt(t.Context(), "b")
	for _, answer := range []chan error{first, second} {
		if err := <-answer; err == nil || !strings.Contains(err.Error(), "nobody answered") {
			t.Errorf("without an answer the result is %v", err)
		}
	}
	p.waitFor(promptPattern)
	if took := time.Since(start); took < 2*p.c.Timeout { // a slow machine only increases it
		t.Errorf("two prompts took %s, want twice %s", took, p.c.Timeout)
	}
}

// TestConfirmFits: a prompt fits the width of the terminal, and no log line is
// printed between it and the answer.
func TestConfirmFits(t *testing.T) {
	p := newTerminalUser(t)
	answer := make(chan error, 1)
	go func() {
		answer <- p.c.Confirm(t.Context(), agentd.Request{Socket: "forward", Profile: strings.Repeat("p", 80), Peer: privsock.Peer{PID: 4194304, Exe: strings.Repeat("/long", 40)}})
	}()
	code, text := p.waitFor(promptPattern)
	for line := range strings.Lines(text) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
	p.e.log.Warn().Msg("something else")
	p.types(code[1] + "\n")
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if _, text := p.waitFor(regexp.MustCompile("something else")); !strings.HasPrefix(text, code[1]+"\n") {
		t.Errorf("after the prompt: %q", text)
	}
}

// TestConfirmWhenEnding: an agent that stops withdraws its prompt immediately, and
// says why.
func TestConfirmWhenEnding(t *testing.T) {
	p := newTerminalUser(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	answer := p.prompt(ctx, "a")
	p.waitFor(promptPattern)
	waits := p.prompt(ctx, "b")
	cancel(errors.New("the agent is stopping"))
	if err := errors.Join(<-answer, <-waits); err == nil {
		t.Error("the request was confirmed")
	}
	p.waitFor(regexp.MustCompile("\nwithdrawn: the agent is stopping\n"))
}

// TestConfirmTerminalGone: without a terminal the request is denied.
func TestConfirmTerminalGone(t *testing.T) {
	p := newTerminalUser(t)
	p.c.Timeout = time.Hour
	answer := p.prompt(t.Context(), "a")
	p.waitFor(promptPattern)
	p.pty.Close()
	if err := await.Receive(t, "the end of the prompt", answer); err == nil {
		t.Error("the request was confirmed")
	}
}
