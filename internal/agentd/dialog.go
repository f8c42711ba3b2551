package agentd

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Dialog shows the questions of a [Confirmer] at the agent's terminal.
type Dialog struct {
	*terminal.Dialog
	Log *HeldLog
}

// OpenDialog opens the terminal for prompts. A log to the same terminal is buffered
// while a question is shown.
func OpenDialog(s terminal.Streams, redirect func(io.Writer)) (Dialog, error) {
	dialog, err := s.OpenDialog()
	if err != nil {
		return Dialog{}, exit.Usagef("--confirm needs a terminal")
	}
	d := Dialog{Dialog: dialog, Log: &HeldLog{To: s.Err}}
	if s.Interactive() {
		redirect(d.Log)
	}
	return d, nil
}

// Ask implements [Terminal]. It buffers the log while the question is shown.
func (c Dialog) Ask(r Request, code string, timeout time.Duration) (lines <-chan string, done func()) {
	c.Log.Hold()
	lines, answered := c.Dialog.Ask("\n" + question(r, min(c.Columns(), maxCols)) + "\n" + confirmPrompt(code, timeout))
	return lines, func() {
		answered()
		c.Log.Release()
	}
}

// AskAgain implements [Terminal].
func (c Dialog) AskAgain(code string, timeout time.Duration) {
	c.Print("unrecognized answer; " + confirmPrompt(code, timeout))
}

// Withdraw implements [Terminal].
func (c Dialog) Withdraw(reason string) { c.Print("\n" + reason + "\n") }

// maxCols is the width of the widest question.
const maxCols = 80

// question returns the text of a question, in lines of at most cols columns.
func question(r Request, cols int) string {
	who := "a program"
	if r.Exe != "" {
		who = oauth.Sanitize(r.Exe, 200)
	}
	by := "through " + r.Socket
	if r.PID != 0 {
		by = fmt.Sprintf("pid %d, %s", r.PID, by)
	}
	return strings.Join(terminal.Wrap(fmt.Sprintf("Issue a token of %q to %s (%s)?", r.Profile, who, by), cols), "\n")
}

func confirmPrompt(code string, timeout time.Duration) string {
	return fmt.Sprintf("type %s to allow, n to deny (%.0f s): ", code, timeout.Seconds())
}
