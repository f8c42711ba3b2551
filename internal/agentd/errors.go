package agentd

import (
	"errors"
	"net/http"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

var statuses = map[agent.Code]int{
	agent.CodeLogin:     http.StatusConflict,
	agent.CodeDenied:    http.StatusForbidden,
	agent.CodeTemporary: http.StatusServiceUnavailable,
	agent.CodeStore:     http.StatusInternalServerError,
	agent.CodeBound:     http.StatusUnprocessableEntity,
	agent.CodeRequest:   http.StatusBadRequest,
	agent.CodeFailed:    http.StatusInternalServerError,
}

// errorFor returns the API error for err.
func errorFor(err error) *agent.Error {
	e := &agent.Error{Code: agent.CodeFailed, Message: oauth.Sanitize(err.Error(), maxMessage)}
	login, required := errors.AsType[*mcplogin.LoginRequiredError](err)
	switch {
	case required:
		e.Code, e.Server, e.Reason = agent.CodeLogin, login.Server, login.Reason
	case errors.Is(err, agent.ErrDenied):
		e.Code = agent.CodeDenied
	case errors.Is(err, mcplogin.ErrBound):
		e.Code = agent.CodeBound
	case errors.Is(err, secrets.ErrName):
		e.Code = agent.CodeRequest
	case errors.Is(err, secrets.ErrTemporary), oauth.Temporary(err), errors.Is(err, mcplogin.ErrJustRefreshed), errors.Is(err, errEnding), errors.Is(err, errRateLimited):
		e.Code = agent.CodeTemporary
	case errors.Is(err, secrets.ErrUnavailable), errors.Is(err, secrets.ErrUndecryptable), errors.Is(err, secrets.ErrPassphrase),
		errors.Is(err, mcplogin.ErrNewerRecord):
		e.Code = agent.CodeStore
	}
	return e
}

// maxMessage limits the message of an API error, in characters.
const maxMessage = 500
