// Package device implements the OAuth 2.0 Device Authorization Grant (RFC
// 8628), for a login without a browser on this machine. The flow shows a short
// code and a link, and polls until the user approves on another device.
//
// Pass a [Flow] with a [Prompt] to package mcplogin, which runs it.
//
// # Security
//
// The prompt gets a [Code], never the device_code, which is sufficient to get
// the token. A Code names the client and the servers: show all of it, because a
// user who approves an attacker's code gives away access to their account (RFC
// 8628 §5.4). The user code and URIs are safe to display; pass other texts
// through oauth.Sanitize.
//
// # Stability
//
// [Prompt] gets no new methods. Additions are optional interfaces, such as
// [PollPrompt].
package device

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// Code is what the user needs to see to approve (RFC 8628 §3.3).
type Code struct {
	UserCode                string // must be shown even with a QR code (RFC 8628 §3.3.1)
	VerificationURI         string
	VerificationURIComplete string        // includes the user code; "": not supported
	Expiry                  time.Time     // when the flow stops waiting; zero: unknown
	Interval                time.Duration // initial interval between polls
	Issuer                  string        // the authorization server
	Server                  string        // the MCP server that the login is for
	Client                  string        // the client's name, or its ID
	Hosts                   flows.Hosts   // of the sign-in page and the endpoints
}

// Prompt shows a code to the user.
type Prompt interface {
	// ShowCode shows the code and returns immediately. ctx ends when the
	// polling for this code ends; remove the code from the screen then. A
	// second call replaces the first code.
	ShowCode(ctx context.Context, c Code)
}

// PollPrompt is a Prompt that also shows the state of the polling.
type PollPrompt interface {
	Prompt
	// ShowPoll is called after every poll, and once more when the polling for
	// this code ends, before its context ends. It returns immediately.
	ShowPoll(ctx context.Context, p Poll)
}

// Poll is the state of the polling after one response.
type Poll struct {
	Status Status
	Next   time.Time // when the next poll follows; zero if Status is final
	Err    error     // for Unreachable, Denied and Failed; else nil
}

// Status is a state of the polling. The values are stable, because programs
// read them.
type Status string

// The states. All after Unreachable are final.
const (
	Pending     Status = "pending"     // not approved yet
	SlowDown    Status = "slow_down"   // the server requested slower polling
	Unreachable Status = "unreachable" // the server could not be reached or had an error; the flow retries
	Approved    Status = "approved"
	Denied      Status = "denied"
	Expired     Status = "expired"
	Failed      Status = "failed"
	Cancelled   Status = "cancelled" // the context of Run ended
)

// Flow is the device flow.
type Flow struct {
	Prompt     Prompt                         // required
	ClientName string                         // displayed name of the client; "": the client ID
	Retry      func(ctx context.Context) bool // reports whether to request a new code after one expired; nil: no
}

var _ flows.Registrant = (*Flow)(nil)

// Name returns "device".
func (f *Flow) Name() string { return "device" }

// Check requires a device authorization endpoint. It does not require the grant
// in grant_types_supported, because servers omit it there.
func (f *Flow) Check(s oauth.Server) error {
	if s.DeviceAuthorizationEndpoint == "" {
		return fmt.Errorf("%w: the server has no device authorization endpoint", flows.ErrUnsupported)
	}
	return nil
}

// Metadata requests the device grant explicitly: servers reject clients that
// are registered without it. It sends empty lists of response types and
// redirect URIs, because oidc-provider rejects a registration without them.
func (f *Flow) Metadata() (oauth.ClientMetadata, error) {
	return oauth.ClientMetadata{
		GrantTypes:    []string{oauth.GrantDeviceCode, "refresh_token"},
		ResponseTypes: []string{},
		RedirectURIs:  []string{},
	}, nil
}

// Run shows a code and polls until the user approves it. Errors wrap
// flows.ErrDenied, flows.ErrExpired or flows.ErrUnsupported where those apply.
// It returns immediately when ctx ends.
func (f *Flow) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	if f.Prompt == nil {
		return oauth.Token{}, errors.New("device flow has no prompt to show its code")
	}
	for {
		begun := time.Now()
		t, err := f.attempt(ctx, r)
		if !errors.Is(err, flows.ErrExpired) || f.Retry == nil {
			return t, err
		}
		if !f.Retry(ctx) || sleep(ctx, minLifetime-time.Since(begun)) != nil {
			return t, errors.Join(ctx.Err(), err)
		}
	}
}

// minLifetime is the minimum time between two codes, even if the first expires
// sooner.
const minLifetime = 5 * time.Second

// attempt requests one code, shows it and polls.
func (f *Flow) attempt(ctx context.Context, r flows.Request) (oauth.Token, error) {
	d, err := r.Client.AuthorizeDevice(ctx, r.Scopes, r.Resource, r.Params)
	if err != nil {
		return oauth.Token{}, fmt.Errorf("request a device code: %w", startError(err))
	}
	showing, done := context.WithCancel(ctx)
	defer done()
	f.Prompt.ShowCode(showing, f.code(ctx, r, d))
	t, err := f.poll(showing, r, d)
	f.report(showing, Poll{Status: final(err), Err: err})
	return t, err
}

// end returns when the flow stops waiting: the expiry of the code, or an
// earlier deadline of ctx.
func end(ctx context.Context, expiry time.Time) time.Time {
	if deadline, ok := ctx.Deadline(); ok && (expiry.IsZero() || deadline.Before(expiry)) {
		return deadline
	}
	return expiry
}

// code returns the Code for the prompt, without the device_code.
func (f *Flow) code(ctx context.Context, r flows.Request, d oauth.DeviceAuthorization) Code {
	client := f.ClientName
	if client == "" {
		client = r.Client.App.ID
	}
	return Code{
		UserCode:                d.UserCode,
		VerificationURI:         d.VerificationURI,
		VerificationURIComplete: d.VerificationURIComplete,
		Expiry:                  end(ctx, d.Expiry),
		Interval:                d.Interval,
		Issuer:                  r.Client.Server.Issuer,
		Server:                  r.Server,
		Client:                  client,
		Hosts:                   flows.HostsOf(r.Server, r.Client.Server, d.VerificationURI),
	}
}

func (f *Flow) report(ctx context.Context, p Poll) {
	if w, ok := f.Prompt.(PollPrompt); ok {
		w.ShowPoll(ctx, p)
	}
}

// startError classifies errors of the device authorization endpoint. If it does
// not exist or this client may not use it, the next flow is tried.
func startError(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if oauth.IsCode(err, oauth.CodeUnauthorizedClient, oauth.CodeInvalidClient, oauth.CodeUnsupportedGrantType) {
		return fmt.Errorf("the server does not allow the device flow for this client: %w", refusal{err})
	}
	missing := ok && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusNotImplemented)
	if missing || errors.Is(err, oauth.ErrUnsupported) {
		return fmt.Errorf("%w: %w", flows.ErrUnsupported, err)
	}
	return pollError(err)
}

// refusal is an error after which the next flow is tried. Its text does not
// claim that the server lacks support for this one.
type refusal struct{ error }

func (r refusal) Is(target error) bool { return target == flows.ErrUnsupported }
func (r refusal) Unwrap() error        { return r.error }

// pollError wraps an error response in the sentinel error that callers branch
// on.
func pollError(err error) error {
	switch {
	case oauth.IsCode(err, oauth.CodeAccessDenied):
		return fmt.Errorf("%w: %w", flows.ErrDenied, err)
	case oauth.IsCode(err, oauth.CodeExpiredToken):
		return fmt.Errorf("%w: %w", flows.ErrExpired, err)
	case oauth.IsCode(err, oauth.CodeUnauthorizedClient, oauth.CodeUnsupportedGrantType):
		return fmt.Errorf("%w: %w", flows.ErrUnsupported, err)
	default:
		return err
	}
}

func final(err error) Status {
	switch {
	case err == nil:
		return Approved
	case errors.Is(err, flows.ErrDenied):
		return Denied
	case errors.Is(err, flows.ErrExpired):
		return Expired
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Cancelled
	default:
		return Failed
	}
}
