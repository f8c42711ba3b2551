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

// Caps on texts of a server.
const (
	maxCode        = 64
	maxDescription = 300
	maxRetryAfter  = time.Hour
)

// The errors that callers branch on. They come wrapped with what and where.
var (
	// ErrUnsupported: the server does not offer what was asked of it.
	ErrUnsupported = errors.New("not supported by the authorization server")
	// ErrNoAuthorization: the MCP server answers without a token.
	ErrNoAuthorization = errors.New("the MCP server requires no authorization")
	// ErrNoMetadata: the MCP server publishes no protected resource metadata
	// (RFC 9728). It may be of 2025-03-26: see [LegacyServer].
	ErrNoMetadata = errors.New("the MCP server publishes no authorization metadata")
	// ErrIssuer: metadata names another issuer; the error is an *IssuerError.
	ErrIssuer = errors.New("issuer mismatch")
	// ErrResource: metadata is for another resource than the MCP server.
	ErrResource = errors.New("resource mismatch")
	// ErrAnswer: an answer that cannot be read or holds what it must not.
	ErrAnswer = errors.New("unusable answer")
)

// Error is an error answer of a server (RFC 6749 §5.2). It never holds the
// body. Code is "" if the answer was not an OAuth error at all.
type Error struct {
	Code        string
	Description string        // sanitized
	URI         string        // error_uri, if it may be shown
	Status      int           // HTTP status; 0: it came through the browser
	Endpoint    string        // URL without query
	ContentType string        // of an answer that was not an OAuth error
	RetryAfter  time.Duration // what the server asked for; 0: nothing
	Foreign     bool          // no OAuth answer at an endpoint that is known: what answered is something before it
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

// Temporary reports whether the same request may succeed later: a network
// fault, a timeout, HTTP 408, 429 or 5xx, temporarily_unavailable. It is false
// for a cancelled context, for what this client refuses to do, and for an
// OAuth error that is final, whatever its status.
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
	fault, isNet := errors.AsType[net.Error](err) // *url.Error is one
	_, isErrno := fault.(syscall.Errno)           // so is this, of a file too
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

// isFinal reports codes that no waiting changes. That the status is 5xx does not
// make them less final: servers exist that answer so (dexidp/dex#4240).
func isFinal(code string) bool {
	switch code {
	case CodeInvalidGrant, CodeInvalidClient, CodeUnauthorizedClient, CodeAccessDenied, CodeExpiredToken,
		CodeInvalidScope, CodeInvalidTarget, CodeUnsupportedGrantType:
		return true
	}
	return false
}

// isPolicyError reports errors that the guard or TLS raised on purpose. They reach
// the caller inside a *url.Error, which counts as a network fault otherwise.
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

// errorResponse is every shape of error body that is understood: RFC 6749 §5.2,
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

// errorOf returns the error that an answer states, or nil. A status of 2xx
// does not make an error member a success: some servers answer so.
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

// retryAfter reads RFC 9110 §10.2.3: seconds or a date.
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

// readError makes a broken body a network fault.
func readError(endpoint string, err error) error {
	return &url.Error{Op: "read", URL: endpoint, Err: err}
}
