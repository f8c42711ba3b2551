package proxy

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// signInTool is the name of the tool to sign in, unless the server has a tool of that
	// name.
	signInTool            = "sign_in"
	signInToolAlternative = "mcp_login_sign_in"
	// callTimeout is how long a call may wait for the user: four clients time out after a
	// minute.
	callTimeout = 50 * time.Second
)

// toolResult is the result of a tool.
func toolResult(isError bool, text string) map[string]any {
	r := map[string]any{"content": []any{map[string]string{"type": "text", "text": text}}}
	if isError {
		r["isError"] = true
	}
	return r
}

// toolName returns the name of the tool to sign in.
func (s *SignIn) toolName() string {
	if hasTool(s.cachedList(methodListTools), signInTool) {
		return signInToolAlternative
	}
	return signInTool
}

// isTool reports whether a name is that of the tool to sign in.
func (s *SignIn) isTool(name string) bool {
	return (name == signInTool || name == signInToolAlternative) && name == s.toolName()
}

// tool describes the tool to sign in.
func (s *SignIn) tool(server string) json.RawMessage {
	return mcpwire.Encode(map[string]any{
		"name":  s.toolName(),
		"title": "Sign in to " + host(server),
		"description": "Sign in to the MCP server " + host(server) + ". Show the user the link and the code from the result exactly as they are. " +
			"If the result says that the approval is pending, call this tool again; it waits for the user. Other tools are available after the sign-in.",
		"inputSchema": map[string]any{"type": "object", "properties": map[string]any{
			"redirect_url": map[string]string{
				"type":        "string",
				"description": "The URL of the last page in the user's browser, if the result asked for it and the user pasted it.",
			},
		}},
		"annotations": map[string]any{"title": "Sign in", "readOnlyHint": false, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
	})
}

// instructions returns what a model must do first.
func (s *SignIn) instructions(server string) string {
	return fmt.Sprintf("The user is not signed in to %s yet. Call the tool %s before any other; until then, the lists of tools and resources may be incomplete.\n\n", host(server), s.toolName())
}

// pasted returns the text that the user pasted into a call of the tool.
func (p parameters) pasted() string {
	var text string
	_ = json.Unmarshal(p.Arguments["redirect_url"], &text) // treat another type as no text
	return text
}
