package proxy

import (
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// toolDenial returns the error response to a call of a tool that the filter denies, before
// anyone is asked to sign in for it, or nil. The tool to sign in is not the server's.
func (u Upstream) toolDenial(m message) []byte {
	if !m.isRequest() || m.Method != methodCallTool || u.SignIn != nil && u.SignIn.isTool(m.Params.Name) {
		return nil
	}
	denied, code, text := u.Tools.Denies(m.Params.Name)
	if !denied {
		return nil
	}
	return mcpwire.Failure(m.ID, code, text)
}
