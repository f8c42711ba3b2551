package access

import (
	"context"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Remedy returns the remedy.Remedy for errors of this run.
func (o Opener) Remedy() remedy.Call {
	r := o.Invocation.Remedy()
	r.Profiles = func() []string { return o.ProfileNames(context.Background()) }
	r.Keys, _ = o.Dirs.Keys() // without a home folder it is unknown
	return r
}

// Explain returns a one-line error with the command to run, for display in another
// program.
func (o Opener) Explain(err error) string {
	text := "mcp-login: " + o.Hidden.Clean(terminal.OneLine(remedy.Text(err)))
	if hint := o.Remedy().Hint(err); hint != "" {
		text += fmt.Sprintf(" (hint: %s)", hint)
	}
	return text
}

// Account returns the signed-in account; "" if unknown.
func (o Opener) Account(c mcplogin.Credential) string {
	id := o.Identity(c)
	if id.Subject == "" {
		return ""
	}
	return id.String()
}
