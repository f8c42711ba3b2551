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

// Limits on a server's texts, in characters.
const (
	maxErrorCode   = 64
	maxDescription = 300
)

// responseParams are the parameters of an authorization response (RFC 6749
// §4.1.2, RFC 9207 §2) that this package uses. Each may occur only once.
var responseParams = []string{"state", "code", "error", "iss"}

// Reasons to ignore a response and keep waiting. They are safe to display.
var (
	errUsed   = errors.New("this sign-in already has its answer")
	errState  = errors.New("this answer belongs to another sign-in")
	errQuery  = errors.New("this is not an answer to a sign-in")
	errIssuer = errors.New("paste the whole address, not only the code, because this server names itself in its answers")
)

// accept checks an authorization response and delivers it to Run. It returns an
// error if the response does not belong to this attempt or is not the first:
// the login keeps waiting. Any other response ends the login, with a code or an
// error.
func (a *attempt) accept(q url.Values) error {
	for _, name := range responseParams {
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
	return a.deliver(a.read(q))
}

// acceptCode accepts a code without other parameters. If the server promises an
// iss parameter, a code alone is rejected (RFC 9207 §2.4).
func (a *attempt) acceptCode(code string) error {
	if a.server.ResponseIss {
		return errIssuer
	}
	return a.deliver(result{code: code})
}

// read returns the code or error of a response with the right state. It uses
// nothing of the response unless the issuer is right.
func (a *attempt) read(q url.Values) result {
	if err := checkIssuer(a.server, q); err != nil {
		return result{err: err}
	}
	if q.Has("error") {
		return result{err: a.responseError(q)}
	}
	code := q.Get("code")
	if !isCode(code) {
		return result{err: errors.New("the server's answer has neither a code nor an error")}
	}
	return result{code: code}
}

// checkIssuer implements "Authorization Response Validation" of MCP 2026-07-28:
// an iss that is present must be identical to the issuer, and one that the
// metadata promises must be present (RFC 9207 §2.4).
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

// responseError returns the error of an authorization error response (RFC 6749
// §4.1.2.1).
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

// isCode reports whether s can be an authorization code: 1*VSCHAR (RFC 6749
// Appendix A.11).
func isCode(s string) bool {
	return s != "" && ascii.Only(s, ascii.Printable)
}
