package mcpprobe

import (
	"net/http"
	"sync"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// authorizer sends requests through the session's transport, which refreshes
// once on a 401, and remembers why a request could not be authorized.
type authorizer struct {
	session *mcplogin.Session
	profile string
	server  string
	base    http.RoundTripper

	mu     sync.Mutex // guards what follows
	err    error
	status int // of the last answer
}

// refusedRequest reports whether the last answer called the request itself wrong, or
// was none to it: neither a token nor the network is at fault.
func (a *authorizer) refusedRequest() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err == nil && (a.status == http.StatusBadRequest || a.status == http.StatusOK)
}

// failure returns why a request could not be authorized; nil if none was.
func (a *authorizer) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.WithContext(oauth.WithMessageLimit(req.Context(), maxMessage))
	resp, err := a.base.RoundTrip(req)
	a.mu.Lock()
	a.status = 0
	if resp != nil {
		a.status = resp.StatusCode
	}
	a.mu.Unlock()
	switch {
	case err != nil:
	case resp.StatusCode == http.StatusForbidden:
		err = a.session.Authorize(req.Context(), req, resp)
	case resp.StatusCode == http.StatusUnauthorized: // after a refresh, if one was possible
		resp.Body.Close()
		err = &mcplogin.LoginRequiredError{Profile: a.profile, Server: a.server, Reason: "the MCP server rejects the token"}
	}
	if err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.err = err
		return nil, err
	}
	return resp, nil
}
