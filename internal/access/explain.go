package access

import (
	"context"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Remedy returns what explains an error of this run.
func (o Opener) Remedy() remedy.Call {
	r := o.Invocation.Remedy()
	r.Profiles = func() []string { return o.ProfileNames(context.Background()) }
	r.Keys, _ = o.Dirs.Keys() // without a home folder it is unknown
	return r
}

// Explain says in one line what went wrong and what to run, for the user of another
// program, who sees nothing else.
func (o Opener) Explain(err error) string {
	text := "mcp-login: " + o.Hidden.Clean(terminal.OneLine(remedy.Text(err)))
	if hint := o.Remedy().Hint(err); hint != "" {
		text += fmt.Sprintf(" (hint: %s)", hint)
	}
	return text
}

// Account returns who signed in, "" where no token says so.
func (o Opener) Account(c mcplogin.Credential) string {
	id := o.Identity(c)
	if id.Subject == "" {
		return ""
	}
	return id.String()
}
