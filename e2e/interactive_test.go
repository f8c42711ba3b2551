//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mcp-login/mcp-login/internal/await"
)

// interactiveShell is a shell on a terminal.
type interactiveShell struct {
	*terminal
	lines int
}

// shells are the shells with a line editor.
var shells = map[string][]string{
	"bash": {"bash", "--noprofile", "--norc", "-i"},
	"zsh":  {"zsh", "-f", "-i"},
	"fish": {"fish", "--no-config", "-i"},
}

// openShell starts a shell on a terminal that is wide enough for every line.
func (h *home) openShell(name string) *interactiveShell {
	h.t.Helper()
	argv := shells[name]
	cmd := exec.CommandContext(h.t.Context(), argv[0], argv[1:]...)
	cmd.Dir = h.dir
	cmd.Env = append(h.env, "TERM=dumb", "PS1=$ ", "LC_ALL=C.UTF-8")
	s := &interactiveShell{terminal: h.startOnTerminal(cmd, 500)}
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have exited
		<-s.stderr.closed
	})
	return s
}

// enter types a line and waits until the shell has run it. The hook before this line
// has finished by then too.
func (s *interactiveShell) enter(line string) {
	s.h.t.Helper()
	s.lines++
	s.paste(fmt.Sprintf("%s; echo end''%d\r", line, s.lines))
	s.stderr.await(s.h.t, regexp.MustCompile(fmt.Sprintf("end%d", s.lines)))
}

// awaitPrompt waits until bash or zsh edits the next line. Its editor does not receive
// keys that are typed before.
func (s *interactiveShell) awaitPrompt() {
	s.h.t.Helper()
	s.stderr.await(s.h.t, regexp.MustCompile(fmt.Sprintf(`(?s)end%d\r\n.*\$ `, s.lines)))
}

// waitForMatches waits until the pattern matches n times, and returns the submatches of
// every match.
func (s *interactiveShell) waitForMatches(n int, pattern *regexp.Regexp) [][]string {
	s.h.t.Helper()
	var found [][]string
	if !await.Until(func() bool {
		found = pattern.FindAllStringSubmatch(s.stderr.String(), -1)
		return len(found) >= n
	}) {
		s.h.t.Fatalf("not %d matches of %v in\n%s", n, pattern, s.stderr.String())
	}
	return found
}

// countCalls puts a script before the program in PATH that records every call, and
// returns a function that reads the record.
func (h *home) countCalls() (calls func() []string) {
	h.t.Helper()
	bin, notes := h.t.TempDir(), filepath.Join(h.t.TempDir(), "calls")
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$*\" >>'%s'\nexec '%s' \"$@\"\n", notes, program)
	if err := writeProgram(filepath.Join(bin, "mcp-login"), script); err != nil {
		h.t.Fatal(err)
	}
	h.env = append(h.env, "PATH="+bin+":/usr/local/bin:/usr/bin:/bin")
	return func() []string {
		text, err := os.ReadFile(notes)
		if err != nil {
			h.t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
}
