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

// errAnswer marks an answer that Vault would not give: a proxy in between, or
// something else at the address.
var errAnswer = errors.New("no answer from vault")

// Why Vault cannot be used, where a person can do something about it. Each is also a
// secrets.ErrUnavailable, ErrUnreachable a secrets.ErrTemporary.
var (
	ErrSealed      error = &fault{secrets.ErrUnavailable, "Vault is sealed"}
	ErrDenied      error = &fault{secrets.ErrUnavailable, "the policy lacks a line"}
	ErrNoToken     error = &fault{secrets.ErrUnavailable, "no valid token is known"}
	ErrUnreachable error = &fault{secrets.ErrTemporary, "Vault does not answer"}
)

// fault is a kind of error that says more than the one of package secrets that it is.
// Its text is that one's: what happened is said beside it.
type fault struct {
	error
	what string
}

func (f *fault) Unwrap() error { return f.error }

// errEnded is what only a new login to Vault cures.
var errEnded = fmt.Errorf("%w: the token for vault is invalid or has expired", ErrNoToken)

// maxSaid caps what is repeated of Vault's own words.
const maxSaid = 300

// explain turns an error of the client into one that a caller branches on and
// a person understands. The client's own texts fill several lines and may
// hold a whole page of a proxy.
func (w *wire) explain(ctx context.Context, verb, path string, err error) error {
	if err == nil {
		return nil
	}
	where := strings.TrimSpace("vault: " + verb + " " + path)
	if refused, ok := errors.AsType[*api.ResponseError](err); ok {
		why, kind := w.meaning(path, refused)
		return &refusal{text: fmt.Sprintf("%s: %s", where, why), kind: kind, status: refused.StatusCode}
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", where, ended)
	}
	if errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, secrets.ErrTemporary) {
		return fmt.Errorf("%s: %w", where, err)
	}
	why, kind := network(err)
	return fmt.Errorf("%w: %s at %s: %s", kind, where, w.address(), w.clean(why))
}

// refusal is an answer of Vault that is no success.
type refusal struct {
	text   string
	kind   error
	status int
}

func (r *refusal) Error() string { return r.kind.Error() + ": " + r.text }
func (r *refusal) Unwrap() error { return r.kind }

// status returns the HTTP status of an answer that is no success, else 0.
func status(err error) int {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.status
	}
	if r, ok := errors.AsType[*api.ResponseError](err); ok {
		return r.StatusCode
	}
	return 0
}

// meaning sorts an answer. Where Vault has no code for a thing, its words are
// all there is.
func (w *wire) meaning(path string, e *api.ResponseError) (why string, kind error) {
	said := w.clean(strings.Join(e.Errors, "; "))
	if e.RawError {
		said = "" // not from Vault: anything, and any length
	}
	switch code := e.StatusCode; {
	case code == http.StatusBadRequest && strings.Contains(said, "did not match the current version"):
		return said, secrets.ErrConflict
	case code == http.StatusBadRequest && strings.Contains(said, "Upgrading from non-versioned"):
		return said, secrets.ErrTemporary
	case code == http.StatusBadRequest && e.RawError && strings.Contains(strings.Join(e.Errors, ""), "HTTP request to an HTTPS server"):
		return w.address() + " uses TLS; use https:// in VAULT_ADDR", secrets.ErrUnavailable
	case code == http.StatusForbidden && strings.Contains(said, "invalid token"):
		return "permission denied", errEnded
	case code == http.StatusForbidden:
		return w.forbidden(path, said), ErrDenied
	case noRoute(e):
		return "nothing is mounted there", secrets.ErrUnavailable
	case strings.Contains(said, "Vault is sealed"):
		return "Vault is sealed: an operator must unseal it", ErrSealed
	case code == http.StatusNotImplemented:
		return "vault is not initialized", secrets.ErrUnavailable
	case code == http.StatusTooManyRequests, code == http.StatusPreconditionFailed, code == 472, code == 473, code >= 500:
		return fmt.Sprintf("status %d: %s", code, cmp.Or(said, "no reason was reported")), secrets.ErrTemporary
	}
	return fmt.Sprintf("status %d: %s", e.StatusCode, cmp.Or(said, "no answer from vault; check VAULT_ADDR")), secrets.ErrUnavailable
}

// forbidden names the line of policy that is missing.
func (w *wire) forbidden(path, said string) string {
	if line := w.policyFor(path); line != "" {
		return "permission denied; the policy must have: " + line
	}
	return said
}

// late tells the end of a time that we set ourselves from that of the caller's.
func late(ctx, within context.Context, err error) error {
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: vault answers too slowly to change a record safely", secrets.ErrTemporary)
	}
	return err
}

func noRoute(err error) bool {
	e, ok := errors.AsType[*api.ResponseError](err)
	return ok && e.StatusCode == http.StatusNotFound && strings.Contains(strings.Join(e.Errors, ""), "no handler for route")
}

// network sorts what kept an answer from arriving. What another try cannot
// cure is unavailable, all else temporary.
func network(err error) (why string, kind error) {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the method and the URL, which the caller says better
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		err = innermost(e.Err) // without the address, likewise
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
	case invalid, alert, errors.Is(err, errAnswer):
		return text, secrets.ErrUnavailable
	case record, strings.Contains(text, "HTTP response to HTTPS client"):
		return "the server does not use TLS; if that is intended, use http:// in VAULT_ADDR", secrets.ErrUnavailable
	}
	return text, ErrUnreachable
}

// innermost is an error without the name of the system call.
func innermost(err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call.Err
	}
	return err
}

// address is where Vault is, without a password in the URL.
func (w *wire) address() string {
	u, err := url.Parse(w.client.Address())
	if err != nil {
		return "its address"
	}
	return u.Redacted()
}

// clean makes one short line of text from outside, without the token.
func (w *wire) clean(said string) string {
	if token := w.client.Token(); token != "" {
		said = strings.ReplaceAll(said, token, "[redacted]")
	}
	said = strings.Map(func(r rune) rune {
		if !ascii.Printable(r) {
			return ' '
		}
		return r
	}, said)
	said = strings.Join(strings.Fields(said), " ")
	return said[:min(len(said), maxSaid)]
}
