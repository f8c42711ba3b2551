// Package device is the login without a browser on this machine: the OAuth
// 2.0 Device Authorization Grant (RFC 8628). A short code and a link are shown
// here, a person approves on another device, and the flow polls until then.
//
// A [Flow] with a [Prompt] is all that is needed; package mcplogin runs it.
//
// # Security
//
// The prompt is given a [Code], never the device_code, which alone would let
// its holder fetch the token. A Code names the client, because a person who is
// talked into approving somebody else's code hands over their account (RFC
// 8628 §5.4): show all of it. Its code and URIs can be shown as they are; the
// other texts only through oauth.Sanitize.
//
// # Stability
//
// [Prompt] does not grow. What only some prompts can do is an optional
// interface, such as [PollPrompt].
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

// Code is what a person needs to see in order to approve (RFC 8628 §3.3).
type Code struct {
	UserCode                string // must be shown even beside a QR code (RFC 8628 §3.3.1)
	VerificationURI         string
	VerificationURIComplete string        // holds the user code too; "": not offered
	Expiry                  time.Time     // when the waiting ends; zero: the server did not say
	Interval                time.Duration // between polls, at first
	Issuer                  string        // the authorization server
	Server                  string        // the MCP server that the login is for
	Client                  string        // the client's name, or its id
	Hosts                   flows.Hosts   // where the person signs in, who issues the token
}

// Prompt shows a code to a person.
type Prompt interface {
	// ShowCode returns at once. ctx ends with the polling for this code, and
	// what is shown should go with it. A second call replaces the first code.
	ShowCode(ctx context.Context, c Code)
}

// PollPrompt is a Prompt that also shows how the polling goes.
type PollPrompt interface {
	Prompt
	// ShowPoll is called after every poll, and once more when the polling for
	// this code is over, before its context ends. It returns at once.
	ShowPoll(ctx context.Context, p Poll)
}

// Poll is the state of the polling after one answer.
type Poll struct {
	Status Status
	Next   time.Time // of the next poll; zero if Status is final
	Err    error     // why, for Unreachable, Denied and Failed; else nil
}

// Status is a word for the state of the polling. It is stable: programs read
// it.
type Status string

// The states. All after Unreachable are final.
const (
	Pending     Status = "pending"     // nobody has approved yet
	SlowDown    Status = "slow_down"   // the server asked for slower polling
	Unreachable Status = "unreachable" // the server could not be asked; it is tried again
	Approved    Status = "approved"
	Denied      Status = "denied"
	Expired     Status = "expired"
	Failed      Status = "failed"
	Cancelled   Status = "cancelled" // the context of Run ended
)

// Flow is the device flow.
type Flow struct {
	Prompt     Prompt                         // required
	ClientName string                         // name of the client that people see; "": its id
	Retry      func(ctx context.Context) bool // asked for a fresh code when one expired; nil: no
}

var _ flows.Registrant = (*Flow)(nil)

// Name returns "device".
func (f *Flow) Name() string { return "device" }

// Check wants a device authorization endpoint. It does not want the grant
// listed in grant_types_supported: servers forget it there.
func (f *Flow) Check(s oauth.Server) error {
	if s.DeviceAuthorizationEndpoint == "" {
		return fmt.Errorf("%w: the server has no device authorization endpoint", flows.ErrUnsupported)
	}
	return nil
}

// Metadata asks for the device grant by name: a client registered without it
// is refused at the device endpoint. It says that there is no redirection, too:
// oidc-provider refuses a registration that leaves it open.
func (f *Flow) Metadata() (oauth.ClientMetadata, error) {
	return oauth.ClientMetadata{
		GrantTypes:    []string{oauth.GrantDeviceCode, "refresh_token"},
		ResponseTypes: []string{},
		RedirectURIs:  []string{},
	}, nil
}

// Run shows a code and polls until a person has approved it. It returns
// flows.ErrDenied, flows.ErrExpired or flows.ErrUnsupported, wrapped, where
// they say what happened. It ends at once when ctx does.
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

// minLifetime is the least time between two codes, however soon the server lets
// them expire.
const minLifetime = 5 * time.Second

// attempt is the life of one code.
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

// end returns when the waiting ends: with the code, or before it with ctx.
func end(ctx context.Context, expiry time.Time) time.Time {
	if deadline, ok := ctx.Deadline(); ok && (expiry.IsZero() || deadline.Before(expiry)) {
		return deadline
	}
	return expiry
}

// code leaves the device_code out.
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

// startError sorts the device endpoint's refusals. A server without the
// endpoint, or one that does not let this client use it, leaves the next flow
// to be tried.
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

// refusal is an error of a server after which the next flow is tried, without
// saying that the server does not support this one.
type refusal struct{ error }

func (r refusal) Is(target error) bool { return target == flows.ErrUnsupported }
func (r refusal) Unwrap() error        { return r.error }

// pollError wraps what ended the polling in the error that callers branch on.
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
