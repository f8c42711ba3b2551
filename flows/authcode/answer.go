package authcode

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/oauth"
)

// Caps on texts of a server.
const (
	maxErrorCode   = 64
	maxDescription = 300
)

// answerParams are the parameters of an authorization response (RFC 6749
// §4.1.2, RFC 9207 §2) that decide something. Each may occur once.
var answerParams = []string{"state", "code", "error", "iss"}

// The reasons to leave an answer alone and go on waiting. They may be shown.
var (
	errUsed   = errors.New("this sign-in already has its answer")
	errState  = errors.New("this answer belongs to another sign-in")
	errQuery  = errors.New("this is not an answer to a sign-in")
	errIssuer = errors.New("paste the whole address, not only the code, because this server names itself in its answers")
)

// accept checks an authorization response and hands it to Run. It returns an
// error if the response is not ours or not the first: the login then goes on
// waiting. What is ours ends it, with a code or with an error.
func (a *attempt) accept(q url.Values) error {
	for _, name := range answerParams {
		if len(q[name]) > 1 { // RFC 6749 §3.1
			return errQuery
		}
	}
	if !q.Has("state") {
		return errQuery
	}
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state)) != 1 {
		return errState
	}
	return a.take(a.read(q))
}

// acceptCode takes a bare code. It has no issuer to check, so a server that
// promises one is not believed without (RFC 9207 §2.4).
func (a *attempt) acceptCode(code string) error {
	if a.server.ResponseIss {
		return errIssuer
	}
	return a.take(answer{code: code})
}

// read returns what a response with the right state says. Nothing of it is
// acted on or shown unless its issuer is the one that was asked.
func (a *attempt) read(q url.Values) answer {
	if err := checkIssuer(a.server, q); err != nil {
		return answer{err: err}
	}
	if q.Has("error") {
		return answer{err: a.responseError(q)}
	}
	code := q.Get("code")
	if !vschar(code) {
		return answer{err: errors.New("the server's answer has neither a code nor an error")}
	}
	return answer{code: code}
}

// checkIssuer is the table of MCP 2026-07-28, Authorization Response
// Validation: an iss that is there must be the issuer, character by character,
// and one that was promised must be there.
func checkIssuer(s oauth.Server, q url.Values) error {
	switch {
	case q.Has("iss") && q.Get("iss") != s.Issuer:
		return fmt.Errorf("the answer names a different issuer than %s: %w", s.Issuer, oauth.ErrIssuer)
	case !q.Has("iss") && s.ResponseIss:
		return &MissingIssError{Issuer: s.Issuer}
	}
	return nil
}

// MissingIssError: an authorization response lacks the iss that the server's
// metadata promises (RFC 9207 §2.4). It is an oauth.ErrIssuer.
type MissingIssError struct{ Issuer string }

func (e *MissingIssError) Error() string {
	return fmt.Sprintf("the answer does not name its issuer, but %s promises to: %v", e.Issuer, oauth.ErrIssuer)
}

// Is makes errors.Is(err, oauth.ErrIssuer) true.
func (e *MissingIssError) Is(target error) bool { return target == oauth.ErrIssuer }

// responseError is an authorization error response (RFC 6749 §4.1.2.1).
func (a *attempt) responseError(q url.Values) error {
	endpoint, _, _ := strings.Cut(a.server.AuthorizationEndpoint, "?")
	e := &oauth.Error{
		Code:        oauth.Sanitize(q.Get("error"), maxErrorCode),
		Description: oauth.Sanitize(q.Get("error_description"), maxDescription),
		Endpoint:    endpoint,
	}
	if u, err := oauth.CheckURL(q.Get("error_uri")); err == nil {
		e.URI = u.String()
	}
	if e.Code == oauth.CodeAccessDenied {
		return fmt.Errorf("%w: %w", flows.ErrDenied, e)
	}
	return e
}

// vschar reports whether s can be an authorization code: RFC 6749 Appendix
// A.11, 1*VSCHAR.
func vschar(s string) bool {
	return s != "" && ascii.Only(s, ascii.Printable)
}
