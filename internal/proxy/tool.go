package proxy

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// toolName is the tool to sign in, unless the server has one of that name.
	toolName      = "sign_in"
	otherToolName = "mcp_login_sign_in"
	// answerWithin is how long a call may take that waits for a person: four clients
	// give up after a minute.
	answerWithin = 50 * time.Second
)

// result is the result of a tool.
func result(isError bool, text string) map[string]any {
	r := map[string]any{"content": []any{map[string]string{"type": "text", "text": text}}}
	if isError {
		r["isError"] = true
	}
	return r
}

// name returns the name of the tool.
func (s *SignIn) name() string {
	if has(s.list(listTools), toolName) {
		return otherToolName
	}
	return toolName
}

// isTool reports whether a call is one of the tool to sign in.
func (s *SignIn) isTool(name string) bool {
	return (name == toolName || name == otherToolName) && name == s.name()
}

// tool describes the tool to sign in.
func (s *SignIn) tool(server string) json.RawMessage {
	return mcpwire.Encode(map[string]any{
		"name":  s.name(),
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

// instructions say to a model what to do first.
func (s *SignIn) instructions(server string) string {
	return fmt.Sprintf("The user is not signed in to %s yet. Call the tool %s before any other; until then, the lists of tools and resources may be incomplete.\n\n", host(server), s.name())
}

// pasted returns the text that the user pasted into a call of the tool.
func (p parameters) pasted() string {
	var text string
	_ = json.Unmarshal(p.Arguments["redirect_url"], &text) // another type than expected: none
	return text
}
