package agent

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// Code is why there is no token, on the wire.
type Code string

// The codes. They are a promise to clients in other languages.
const (
	CodeLogin     Code = "login_required" // by a person, where the agent runs
	CodeDenied    Code = "denied"         // by the socket's limits or by the person asked
	CodeTemporary Code = "temporary"      // try again
	CodeStore     Code = "store"          // the agent's store is unavailable or cannot be decrypted
	CodeBound     Code = "bound"          // the token is bound to a key (RFC 9449)
	CodeRequest   Code = "bad_request"
	CodeFailed    Code = "failed"
)

var statuses = map[Code]int{
	CodeLogin:     http.StatusConflict,
	CodeDenied:    http.StatusForbidden,
	CodeTemporary: http.StatusServiceUnavailable,
	CodeStore:     http.StatusInternalServerError,
	CodeBound:     http.StatusUnprocessableEntity,
	CodeRequest:   http.StatusBadRequest,
	CodeFailed:    http.StatusInternalServerError,
}

// ErrDenied: the agent does not hand this out, or the person who was asked said
// no.
var ErrDenied = errors.New("the agent refused")

// Error is the agent's error answer. With errors.Is it matches what the
// agent's own error was: mcplogin.ErrBound, ErrDenied, secrets.ErrTemporary,
// secrets.ErrUnavailable. A login that is required is told by
// *mcplogin.LoginRequiredError instead.
type Error struct {
	Code    Code   `json:"error"`
	Message string `json:"message,omitempty"`
	Server  string `json:"server,omitempty"` // of a login that is required
	Reason  string `json:"reason,omitempty"` // of the same
}

func (e *Error) Error() string {
	if e.Message == "" {
		return "agent: " + string(e.Code)
	}
	return "agent: " + e.Message
}

// Is implements errors.Is.
func (e *Error) Is(target error) bool {
	switch e.Code {
	case CodeDenied:
		return target == ErrDenied
	case CodeTemporary:
		return target == secrets.ErrTemporary
	case CodeStore:
		return target == secrets.ErrUnavailable
	case CodeBound:
		return target == mcplogin.ErrBound
	}
	return false
}

// errorFor turns why there is no token into what is sent.
func errorFor(err error) *Error {
	e := &Error{Code: CodeFailed, Message: oauth.Sanitize(err.Error(), maxMessage)}
	login, required := errors.AsType[*mcplogin.LoginRequiredError](err)
	switch {
	case required:
		e.Code, e.Server, e.Reason = CodeLogin, login.Server, login.Reason
	case errors.Is(err, ErrDenied):
		e.Code = CodeDenied
	case errors.Is(err, mcplogin.ErrBound):
		e.Code = CodeBound
	case errors.Is(err, secrets.ErrName):
		e.Code = CodeRequest
	case errors.Is(err, secrets.ErrTemporary), oauth.Temporary(err), errors.Is(err, errNew), errors.Is(err, errEnding), errors.Is(err, errFlood):
		e.Code = CodeTemporary
	case errors.Is(err, secrets.ErrUnavailable), errors.Is(err, secrets.ErrUndecryptable), errors.Is(err, secrets.ErrPassphrase),
		errors.Is(err, mcplogin.ErrNewerRecord):
		e.Code = CodeStore
	}
	return e
}

const maxMessage = 500

// answer is what a request for headers gets.
type answer struct {
	Profile string            `json:"profile"`
	Server  string            `json:"server"`
	Headers map[string]string `json:"headers"`
	Expiry  time.Time         `json:"expires_at,omitzero"`
}

// profiles is what a request for the names gets.
type profiles struct {
	Profiles []string `json:"profiles"`
}

// digest tells which token is meant, and gives it away to nobody.
func digest(token string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(token))) }

// Health is what /v1/health tells.
type Health struct {
	Status   string            `json:"status"` // "ok"; "degraded" if there are profiles, and each is faulty or needs a login
	Profiles map[string]Status `json:"profiles,omitempty"`
}

const (
	healthOK       = "ok"
	healthDegraded = "degraded"
)

// Status is a profile's state. A limited socket tells none.
type Status struct {
	State  string    `json:"state"` // "fresh", "login required", "faulty" or "unread"
	Expiry time.Time `json:"expires_at,omitzero"`
	Next   time.Time `json:"next_look,omitzero"`
	Error  string    `json:"error,omitempty"`
}
