package oauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Error codes that callers branch on: RFC 6749 §5.2, RFC 8628 §3.5, RFC 7591
// §3.2.2, RFC 7009 §2.2.1, RFC 8707 §2, RFC 6750 §3.1, RFC 9449 §8.
const (
	CodeInvalidRequest         = "invalid_request"
	CodeInvalidClient          = "invalid_client"
	CodeInvalidGrant           = "invalid_grant"
	CodeUnauthorizedClient     = "unauthorized_client"
	CodeUnsupportedGrantType   = "unsupported_grant_type"
	CodeInvalidScope           = "invalid_scope"
	CodeAccessDenied           = "access_denied"
	CodeServerError            = "server_error"
	CodeTemporarilyUnavailable = "temporarily_unavailable"
	CodeAuthorizationPending   = "authorization_pending"
	CodeSlowDown               = "slow_down"
	CodeExpiredToken           = "expired_token"
	CodeInvalidRedirectURI     = "invalid_redirect_uri"
	CodeInvalidClientMetadata  = "invalid_client_metadata"
	CodeUnsupportedTokenType   = "unsupported_token_type"
	CodeInvalidTarget          = "invalid_target"
	CodeInvalidToken           = "invalid_token"
	CodeInsufficientScope      = "insufficient_scope"
	CodeUseDPoPNonce           = "use_dpop_nonce"
)

// Limits on a server's values. Lengths are in characters.
const (
	maxCode        = 64
	maxDescription = 300
	maxRetryAfter  = time.Hour
)

// The errors that callers branch on with errors.Is.
var (
	// ErrUnsupported: the server does not support the request.
	ErrUnsupported = errors.New("not supported by the authorization server")
	// ErrNoAuthorization: the MCP server requires no token.
	ErrNoAuthorization = errors.New("the MCP server requires no authorization")
	// ErrNoMetadata: the MCP server publishes no protected resource metadata
	// (RFC 9728). It may follow the 2025-03-26 specification: see
	// [LegacyServer].
	ErrNoMetadata = errors.New("the MCP server publishes no authorization metadata")
	// ErrIssuer: the metadata names another issuer; the error is an
	// *IssuerError.
	ErrIssuer = errors.New("issuer mismatch")
	// ErrResource: the metadata is for another resource than the MCP server;
	// the error is a *ResourceError.
	ErrResource = errors.New("resource mismatch")
	// ErrAnswer: a response that cannot be read or has invalid values.
	ErrAnswer = errors.New("unusable answer")
)

// Error is a server's error response (RFC 6749 §5.2). It never contains the
// body. Code is "" if the response was not an OAuth error.
type Error struct {
	Code        string
	Description string        // sanitized
	URI         string        // error_uri, if it is safe to display
	Status      int           // HTTP status; 0: an authorization response, which comes through the browser
	Endpoint    string        // URL without query
	ContentType string        // of a response that was not an OAuth error
	RetryAfter  time.Duration // the server's Retry-After; 0: none
	Foreign     bool          // not an OAuth response, although the endpoint is known to work: a firewall or gateway sent it
}

func (e *Error) Error() string {
	if e.Code == "" {
		text := fmt.Sprintf("%s answered HTTP %d%s", e.Endpoint, e.Status, ofType(e.ContentType))
		if e.Description != "" {
			text += ": " + e.Description
		}
		return text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s answered %s", e.Endpoint, e.Code)
	if e.Description != "" {
		fmt.Fprintf(&b, ": %s", e.Description)
	}
	if e.Status != 0 { // an authorization response comes through the browser
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.URI != "" {
		fmt.Fprintf(&b, ", see %s", e.URI)
	}
	return b.String()
}

func ofType(contentType string) string {
	if contentType == "" {
		return ""
	}
	return " with " + contentType
}

// IsCode reports whether err is an *Error with one of the codes.
func IsCode(err error, codes ...string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(codes, e.Code)
}

// Temporary reports whether the same request may succeed later: after a network
// error, a timeout, HTTP 408, 429 or 5xx, or temporarily_unavailable. It is
// false for a canceled context, for requests that the guard refuses, and for a
// final OAuth error with any status.
func Temporary(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.temporary()
	}
	if e, ok := errors.AsType[*ProxyError](err); ok {
		return e.temporary()
	}
	if isPolicyError(err) {
		return false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	fault, isNet := errors.AsType[net.Error](err) // *url.Error implements it
	_, isErrno := fault.(syscall.Errno)           // syscall.Errno implements it too, also for files
	return isNet && !isErrno
}

func (e *Error) temporary() bool {
	switch {
	case e.Code == CodeTemporarilyUnavailable, e.Code == CodeServerError:
		return true
	case isFinal(e.Code):
		return false
	case e.Foreign:
		return true
	}
	return e.Status >= 500 && e.Status != http.StatusNotImplemented ||
		e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout
}

// isFinal reports whether a later retry cannot succeed. This holds even with
// status 5xx, which some servers use for such codes (dexidp/dex#4240).
func isFinal(code string) bool {
	switch code {
	case CodeInvalidGrant, CodeInvalidClient, CodeUnauthorizedClient, CodeAccessDenied, CodeExpiredToken,
		CodeInvalidScope, CodeInvalidTarget, CodeUnsupportedGrantType:
		return true
	}
	return false
}

// isPolicyError reports whether the guard or TLS refused the request. Such errors
// are wrapped in a *url.Error, which otherwise counts as a network error.
func isPolicyError(err error) bool {
	if _, ok := errors.AsType[*URLError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*AddressError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*RedirectError](err); ok {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok || errors.Is(err, ErrAnswer) || errors.Is(err, http.ErrSchemeMismatch)
}

// errorResponse covers every supported form of error body: RFC 6749 §5.2,
// Slack's {"ok":false,"error":...}, and the {"code":...,"message":...} of
// frameworks that reject a request before their OAuth code sees it.
type errorResponse struct {
	OK          *bool           `json:"ok"`
	Error       json.RawMessage `json:"error"`
	Description string          `json:"error_description"`
	URI         string          `json:"error_uri"`
	Message     string          `json:"message"`
	ErrorCode   string          `json:"error_code"` // Supabase Auth, with a msg
	Msg         string          `json:"msg"`
}

// errorOf returns the error of a response, or nil. An error member counts even
// with status 2xx, because some servers respond so.
func errorOf(a *response) error {
	var body errorResponse
	var code string
	if unmarshal(a.body, &body) == nil {
		_ = json.Unmarshal(body.Error, &code) // not a string: no code
	}
	if code == "" && !a.ok() {
		code, body.Description = body.ErrorCode, cmp.Or(body.Description, body.Msg)
	}
	if a.ok() && code == "" && (body.OK == nil || *body.OK) {
		return nil
	}
	e := &Error{Code: Sanitize(code, maxCode), Status: a.status, Endpoint: a.url, RetryAfter: a.retryAfter()}
	if e.Code == "" {
		e.ContentType = a.contentType()
		e.Description = Sanitize(body.Message, maxDescription)
		return e
	}
	e.Description = Sanitize(body.Description, maxDescription)
	if u, err := CheckURL(body.URI); err == nil {
		e.URI = u.String()
	}
	return e
}

func (a *response) ok() bool { return a.status >= 200 && a.status < 300 }

func (a *response) contentType() string {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return Sanitize(t, maxCode)
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110
// §10.2.3).
func (a *response) retryAfter() time.Duration {
	v := a.header.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.Atoi(v); err == nil {
		return min(max(0, time.Duration(min(s, 86400))*time.Second), maxRetryAfter)
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(0, time.Until(t)), maxRetryAfter)
}

// readError returns an error in reading a body as a network error.
func readError(endpoint string, err error) error {
	return &url.Error{Op: "read", URL: endpoint, Err: err}
}
