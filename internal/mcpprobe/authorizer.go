package mcpprobe

import (
	"errors"
	"net/http"
	"sync"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// maxLogins bounds the logins of one run, so that a server which always asks
// for more cannot make a person approve for ever. The first login happened
// before the run, which makes three (the specification's "a few times").
const maxLogins = 2

// authorizer sends requests through the session's transport, which refreshes
// once on a 401, and logs in again where that does not help and it may.
type authorizer struct {
	session *mcplogin.Session
	logIn   bool
	base    http.RoundTripper
	clock   *clock

	mu     sync.Mutex // guards what follows; one login at a time
	logins int
	err    error
}

// failure returns why a request could not be authorized; nil if none was.
func (a *authorizer) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.WithContext(oauth.WithMessageLimit(req.Context(), maxMessage))
	for {
		resp, err := a.base.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusForbidden {
			err = a.session.Authorize(req.Context(), req, resp)
		}
		if err == nil {
			return resp, nil
		}
		if err := a.again(req, err); err != nil {
			return nil, err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// again returns nil once a login has made another try worth while.
func (a *authorizer) again(req *http.Request, cause error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = cause
	scope, narrow := errors.AsType[*mcplogin.InsufficientScopeError](cause)
	if !narrow && !errors.Is(cause, mcplogin.ErrLoginRequired) || !a.logIn || a.logins >= maxLogins {
		return cause
	}
	a.logins++
	var more []string
	if narrow {
		more = scope.Scopes
	}
	defer a.clock.pause()() // a person takes longer than a server may
	_, a.err = a.session.Login(req.Context(), more...)
	return a.err
}
