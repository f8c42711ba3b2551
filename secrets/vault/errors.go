package vault

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/secrets"
)

// errResponse marks a response that is not from Vault: from a proxy, or from
// another server at the address.
var errResponse = errors.New("no answer from vault")

// Reasons why Vault cannot be used that a user can resolve. Each is also a
// secrets.ErrUnavailable; ErrUnreachable is a secrets.ErrTemporary.
var (
	ErrSealed      error = &kindError{secrets.ErrUnavailable, "Vault is sealed"}
	ErrDenied      error = &kindError{secrets.ErrUnavailable, "the policy lacks a line"}
	ErrNoToken     error = &kindError{secrets.ErrUnavailable, "no valid token is known"}
	ErrUnreachable error = &kindError{secrets.ErrTemporary, "Vault does not answer"}
)

// kindError is a more specific kind of a sentinel error of package secrets, with the same
// text. The cause is in the error that wraps it.
type kindError struct {
	error
	what string
}

func (f *kindError) Unwrap() error { return f.error }

// errTokenExpired: only a new login to Vault can help.
var errTokenExpired = fmt.Errorf("%w: the token for vault is invalid or has expired", ErrNoToken)

// maxReason limits the text quoted from Vault's error, in bytes.
const maxReason = 300

// explain converts an error of the API client into one that callers can branch
// on and users can understand. The client's texts have several lines and may
// contain the whole page of a proxy.
func (w *conn) explain(ctx context.Context, verb, path string, err error) error {
	if err == nil {
		return nil
	}
	where := strings.TrimSpace("vault: " + verb + " " + path)
	if refused, ok := errors.AsType[*api.ResponseError](err); ok {
		why, kind := w.classify(path, refused)
		return &responseError{text: fmt.Sprintf("%s: %s", where, why), kind: kind, status: refused.StatusCode}
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", where, ended)
	}
	if errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, secrets.ErrTemporary) {
		return fmt.Errorf("%s: %w", where, err)
	}
	why, kind := classifyNetworkError(err)
	return fmt.Errorf("%w: %s at %s: %s", kind, where, w.address(), w.sanitize(why))
}

// responseError is an error response of Vault.
type responseError struct {
	text   string
	kind   error
	status int
}

func (r *responseError) Error() string { return r.kind.Error() + ": " + r.text }
func (r *responseError) Unwrap() error { return r.kind }

// status returns the HTTP status of an error response, else 0.
func status(err error) int {
	if r, ok := errors.AsType[*responseError](err); ok {
		return r.status
	}
	if r, ok := errors.AsType[*api.ResponseError](err); ok {
		return r.StatusCode
	}
	return 0
}

// classify returns the reason and the kind of an error response. It matches
// Vault's error texts where Vault has no error code.
func (w *conn) classify(path string, e *api.ResponseError) (why string, kind error) {
	reason := w.sanitize(strings.Join(e.Errors, "; "))
	if e.RawError {
		reason = "" // not from Vault: arbitrary text of any length
	}
	switch code := e.StatusCode; {
	case code == http.StatusBadRequest && strings.Contains(reason, "did not match the current version"):
		return reason, secrets.ErrConflict
	case code == http.StatusBadRequest && strings.Contains(reason, "Upgrading from non-versioned"):
		return reason, secrets.ErrTemporary
	case code == http.StatusBadRequest && e.RawError && strings.Contains(strings.Join(e.Errors, ""), "HTTP request to an HTTPS server"):
		return w.address() + " uses TLS; use https:// in VAULT_ADDR", secrets.ErrUnavailable
	case code == http.StatusForbidden && strings.Contains(reason, "invalid token"):
		return "permission denied", errTokenExpired
	case code == http.StatusForbidden:
		return w.forbidden(path, reason), ErrDenied
	case noRoute(e):
		return "nothing is mounted there", secrets.ErrUnavailable
	case strings.Contains(reason, "Vault is sealed"):
		return "Vault is sealed: an operator must unseal it", ErrSealed
	case code == http.StatusNotImplemented:
		return "vault is not initialized", secrets.ErrUnavailable
	case code == http.StatusTooManyRequests, code == http.StatusPreconditionFailed, code == 472, code == 473, code >= 500:
		return fmt.Sprintf("status %d: %s", code, cmp.Or(reason, "no reason was reported")), secrets.ErrTemporary
	}
	return fmt.Sprintf("status %d: %s", e.StatusCode, cmp.Or(reason, "no answer from vault; check VAULT_ADDR")), secrets.ErrUnavailable
}

// forbidden returns the reason for a 403, with the missing line of the policy.
func (w *conn) forbidden(path, reason string) string {
	if line := w.policyFor(path); line != "" {
		return "permission denied; the policy must have: " + line
	}
	return reason
}

// timeoutError returns an error that is temporary if the timeout of boundCtx has ended,
// not the caller's ctx.
func timeoutError(ctx, boundCtx context.Context, err error) error {
	if err != nil && boundCtx.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: vault answers too slowly to change a record safely", secrets.ErrTemporary)
	}
	return err
}

func noRoute(err error) bool {
	e, ok := errors.AsType[*api.ResponseError](err)
	return ok && e.StatusCode == http.StatusNotFound && strings.Contains(strings.Join(e.Errors, ""), "no handler for route")
}

// classifyNetworkError returns the reason and the kind of an error without a response.
// Errors that a retry cannot resolve are ErrUnavailable, all others temporary.
func classifyNetworkError(err error) (why string, kind error) {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the method and the URL, which the caller adds
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		err = withoutSyscall(e.Err) // without the address, which the caller adds
	}
	text := err.Error()
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	switch {
	case unknown:
		return text + ": set VAULT_CACERT or VAULT_CAPATH to its CA", secrets.ErrUnavailable
	case host:
		return text + ": if that name is right, set VAULT_TLS_SERVER_NAME", secrets.ErrUnavailable
	case invalid, alert, errors.Is(err, errResponse):
		return text, secrets.ErrUnavailable
	case record, strings.Contains(text, "HTTP response to HTTPS client"):
		return "the server does not use TLS; if that is intended, use http:// in VAULT_ADDR", secrets.ErrUnavailable
	}
	return text, ErrUnreachable
}

// withoutSyscall returns the error without the name of the system call.
func withoutSyscall(err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call.Err
	}
	return err
}

// address returns the URL of Vault without a password.
func (w *conn) address() string {
	u, err := url.Parse(w.client.Address())
	if err != nil {
		return "its address"
	}
	return u.Redacted()
}

// sanitize returns external text as one short line without the token.
func (w *conn) sanitize(reason string) string {
	if token := w.client.Token(); token != "" {
		reason = strings.ReplaceAll(reason, token, "[redacted]")
	}
	reason = strings.Map(func(r rune) rune {
		if !ascii.Printable(r) {
			return ' '
		}
		return r
	}, reason)
	reason = strings.Join(strings.Fields(reason), " ")
	return reason[:min(len(reason), maxReason)]
}
