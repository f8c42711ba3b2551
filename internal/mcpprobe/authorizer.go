package mcpprobe

import (
	"net/http"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// authorizer sends requests through the session's transport, which refreshes
// once on a 401, and returns as an error why the server does not accept the token.
type authorizer struct {
	session *mcplogin.Session
	profile string
	server  string
	base    http.RoundTripper
}

func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.WithContext(oauth.WithMessageLimit(req.Context(), maxMessage))
	resp, err := a.base.RoundTrip(req)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusForbidden:
		if err := a.session.Authorize(req.Context(), req, resp); err != nil {
			return nil, err
		}
	case resp.StatusCode == http.StatusUnauthorized: // after a refresh, if one was possible
		resp.Body.Close()
		return nil, &mcplogin.LoginRequiredError{Profile: a.profile, Server: a.server, Reason: "the MCP server rejects the token"}
	}
	return resp, nil
}
