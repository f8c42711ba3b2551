package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// confirmTerminal shows the questions of an [agentd.Confirmer] at the agent's
// terminal.
type confirmTerminal struct {
	*terminal.Dialog
	log *agentd.HeldLog
}

func newConfirmTerminal(e *env) (*confirmTerminal, error) {
	streams := e.streams()
	dialog, err := streams.OpenDialog()
	if err != nil {
		return nil, usagef("--confirm: no terminal to ask at")
	}
	c := &confirmTerminal{dialog, &agentd.HeldLog{To: e.err}}
	if streams.Interactive() {
		e.hidden.Redirect(c.log)
	}
	return c, nil
}

// Ask implements agentd.Terminal. The log is held back while the question stands.
func (c *confirmTerminal) Ask(r agentd.Request, code string, timeout time.Duration) (lines <-chan string, done func()) {
	c.log.Hold()
	lines, answered := c.Dialog.Ask("\n" + question(r, min(c.Columns(), maxCols)) + "\n" + confirmPrompt(code, timeout))
	return lines, func() {
		answered()
		c.log.Release()
	}
}

// AskAgain implements agentd.Terminal.
func (c *confirmTerminal) AskAgain(code string, timeout time.Duration) {
	c.Print("this is not an answer; " + confirmPrompt(code, timeout))
}

// Withdraw implements agentd.Terminal.
func (c *confirmTerminal) Withdraw(reason string) { c.Print("\n" + reason + "\n") }

// maxCols is the width of the widest question.
const maxCols = 80

// question says what is asked for and by whom, in lines of at most cols.
func question(r agentd.Request, cols int) string {
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
	return fmt.Sprintf("type %s to allow, n to refuse (%.0f s): ", code, timeout.Seconds())
}
