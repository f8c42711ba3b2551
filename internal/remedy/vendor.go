package remedy

import (
	"errors"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// vendorHint is the way past an error code that only one vendor uses;
// "" if it is none of these.
func (c Call) vendorHint(err error) string {
	answer, ok := errors.AsType[*oauth.Error](err)
	if !ok || errors.Is(err, mcplogin.ErrLoginRequired) {
		return ""
	}
	text := answer.Code + " " + answer.Description
	has := func(codes ...string) bool {
		for _, code := range codes {
			if strings.Contains(text, code) {
				return true
			}
		}
		return false
	}
	switch {
	// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
	case has("AADSTS9010010"):
		return "Entra takes a scope in the place of the resource: " + c.atServer("", "--no-resource", "--scope", "api://APP-ID/SCOPE offline_access")
	case has("AADSTS500011", "AADSTS650053", "AADSTS70011"):
		return "name a scope of the MCP server's app: " + c.atServer("", "--scope", "api://APP-ID/SCOPE offline_access")
	case has("AADSTS7000218"):
		return "in Entra, allow public client flows for the app (Authentication, Settings); or send its secret: " + c.atServer("", "--client-secret-from", "prompt")
	// https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
	case has("device_flow_disabled"):
		return "enable the device flow in the settings of the GitHub app"
	}
	return ""
}
