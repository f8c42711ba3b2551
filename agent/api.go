package agent

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/secrets"
)

// Code is an error code of the API.
type Code string

// The error codes. They are stable, for clients in other languages.
const (
	CodeLogin     Code = "login_required" // the user must sign in where the agent runs
	CodeDenied    Code = "denied"         // by the socket's limits or by the user
	CodeTemporary Code = "temporary"      // retry later
	CodeStore     Code = "store"          // the agent's store is unavailable or cannot be decrypted
	CodeBound     Code = "bound"          // the token is bound to a key (RFC 9449)
	CodeRequest   Code = "bad_request"
	CodeFailed    Code = "failed"
)

// ErrDenied means that the socket does not issue this token, or that the user
// denied the request.
var ErrDenied = errors.New("the agent refused")

// ErrNotRunning means that no agent is listening on the socket.
var ErrNotRunning = errors.New("no agent runs there")

// Error is an error response of the agent. With errors.Is it matches the
// agent's own error: mcplogin.ErrBound, ErrDenied, secrets.ErrTemporary,
// secrets.ErrUnavailable. CodeLogin is a *mcplogin.LoginRequiredError instead.
type Error struct {
	Code    Code   `json:"error"`
	Message string `json:"message,omitempty"`
	Server  string `json:"server,omitempty"` // with CodeLogin
	Reason  string `json:"reason,omitempty"` // with CodeLogin
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

// The paths. A profile's status is at ProfilesPath/NAME, its headers at
// ProfilesPath/NAME followed by HeadersPath; NAME is escaped.
const (
	ProfilesPath = "/v1/profiles"
	HeadersPath  = "/headers"
	HealthPath   = "/v1/health"
	StopPath     = "/v1/stop" // POST; not on a limited socket
)

const maxMessage = 500

// Answer is the response to a request for a profile's headers.
type Answer struct {
	Profile string            `json:"profile"`
	Server  string            `json:"server"`
	Headers map[string]string `json:"headers"`
	Expiry  time.Time         `json:"expires_at,omitzero"`
}

// ProfileList is the response to a request for the names of the profiles.
type ProfileList struct {
	Profiles []string `json:"profiles"`
}

// Digest identifies an access token in the query parameter "rejected" without
// revealing it.
func Digest(token string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(token))) }

// Health is the response of /v1/health.
type Health struct {
	Status   string            `json:"status"` // "ok"; "degraded" if profiles exist and each is faulty or requires a sign-in
	Profiles map[string]Status `json:"profiles,omitempty"`
	PID      int               `json:"pid,omitempty"` // of the agent
}

// Status is a profile's state. A limited socket returns neither the states nor
// the PID.
type Status struct {
	State  string    `json:"state"` // "fresh", "login required", "faulty" or "unread"
	Expiry time.Time `json:"expires_at,omitzero"`
	Next   time.Time `json:"next_look,omitzero"`
	Error  string    `json:"error,omitempty"`
}
