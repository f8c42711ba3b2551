package clientconfig

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// CheckCaller refuses to give headers to a client that is about to send them
// to another server. Claude Code says which one it connects to
// (https://code.claude.com/docs/en/mcp#use-dynamic-headers-for-custom-authentication),
// and a project's .mcp.json, which may be another user's, can name any URL beside
// this helper.
func CheckCaller(getenv func(string) string, server string) error {
	asked := getenv("CLAUDE_CODE_MCP_SERVER_URL")
	if asked == "" || origin(asked) == origin(server) {
		return nil
	}
	return fmt.Errorf("the client requests headers for %s, but the credential is for %s; check who changed the client's configuration",
		terminal.Host(asked), terminal.Host(server))
}

// origin is scheme, host and port (RFC 6454 §4). What cannot be read is of no
// other's origin.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return strings.ToLower(u.Scheme + "://" + u.Hostname() + ":" + port)
}
