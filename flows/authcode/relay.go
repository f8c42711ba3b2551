package authcode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// Relay is the authorization code grant with the redirect URI of a relay: a web
// server of the user's team that passes on the response. It shows a short link
// and a code, as the device flow does, for servers without a device grant.
//
// The relay sees the authorization URL and the code, never the code verifier.
// Responses from it are checked like any other, so a hostile relay can only make a
// sign-in fail. Its operator can also start sign-ins with the same client ID and
// trick users into approving them, so use only a relay whose operator you trust.
type Relay struct {
	// URL is the relay's base URL, such as https://login.example.com.
	URL string
	// Token returns the relay's client token; nil: the relay requires none.
	Token func(ctx context.Context) (string, error)
	// HTTP is the client for requests to the relay. Required.
	HTTP *http.Client
	// Show shows a code and its link and returns immediately. Its ctx ends when
	// the flow stops waiting. A second call replaces the first code. Required.
	Show func(ctx context.Context, c RelayCode)
	// Done is called when the flow stops waiting for a shown code; nil: no call.
	Done func(ctx context.Context, err error)
	// Label names this machine on the relay's page.
	Label string
	// ClientName is the displayed name of the client; "": the client ID.
	ClientName string
	// AssumePKCE is as in Flow.
	AssumePKCE bool
}

// RelayCode is what the user needs to see to approve. The fields have the same
// meaning as those of device.Code.
type RelayCode struct {
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	Expiry                  time.Time
	Interval                time.Duration
	Issuer                  string
	Server                  string
	Client                  string
	Hosts                   flows.Hosts
}

var _ flows.Documented = (*Relay)(nil)

// maxReopened limits how many new sessions a login opens after the relay lost
// one, for example by a restart.
const maxReopened = 3

// Name returns "relay".
func (f *Relay) Name() string { return "relay" }

// Address returns the relay's URL.
func (f *Relay) Address() string { return f.URL }

// Check implements [flows.Flow].
func (f *Relay) Check(s oauth.Server) error {
	if err := checkServer(s, f.AssumePKCE); err != nil {
		return err
	}
	_, err := f.base()
	return err
}

// base returns the relay's URL without a trailing slash.
func (f *Relay) base() (string, error) {
	u, err := oauth.CheckURL(f.URL)
	if err != nil {
		return "", fmt.Errorf("relay: %w", err)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", errors.New("relay: the URL must not have a path or a query")
	}
	return u.Scheme + "://" + u.Host, nil
}

func (f *Relay) redirect() (string, error) {
	base, err := f.base()
	return base + "/callback", err
}

// Metadata implements [flows.Registrant]. The client is a web application,
// because its redirect URI is https.
func (f *Relay) Metadata() (oauth.ClientMetadata, error) {
	redirect, err := f.redirect()
	if err != nil {
		return oauth.ClientMetadata{}, err
	}
	return oauth.ClientMetadata{
		ApplicationType: "web", // OpenID Connect Registration §2
		GrantTypes:      []string{"authorization_code", "refresh_token"},
		ResponseTypes:   []string{"code"},
		RedirectURIs:    []string{redirect},
	}, nil
}

// DocumentURL implements [flows.Documented].
func (f *Relay) DocumentURL() string {
	base, err := f.base()
	if err != nil || !strings.HasPrefix(base, "https://") {
		return ""
	}
	return base + "/client.json"
}

// checkRedirectURI returns an error if the relay's redirect URI is not registered for the
// client. Some servers accept a registration but omit redirect URIs that they do not allow:
// then the next flow is tried.
func (f *Relay) checkRedirectURI(app oauth.App, redirect string) error {
	foreign := strings.HasPrefix(app.ID, "https://") && app.ID != f.DocumentURL()
	switch {
	case slices.Contains(app.RedirectURIs, redirect):
	case app.RedirectURIs != nil || foreign:
		return fmt.Errorf("%w: %w: %w: the server did not register %s", ErrRedirect, flows.ErrClient, flows.ErrUnsupported, redirect)
	}
	return nil // a pre-registered client has no list
}

// Run implements [flows.Flow]. If the relay is unreachable or rejects the login,
// the error is flows.ErrUnsupported, so that the next flow is tried; later errors
// are those of [Flow.Run].
func (f *Relay) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	if err := f.Check(r.Client.Server); err != nil {
		return oauth.Token{}, err
	}
	redirect, err := f.redirect()
	if err == nil {
		err = f.checkRedirectURI(r.Client.App, redirect)
	}
	if err != nil {
		return oauth.Token{}, err
	}
	a, err := newAttempt(r, redirect)
	if err != nil {
		return oauth.Token{}, err
	}
	for reopened := 0; ; reopened++ {
		token, err := f.session(ctx, r, a)
		if !errors.Is(err, errSessionLost) || reopened == maxReopened {
			return token, err
		}
	}
}

// session signs in by one session of the relay.
func (f *Relay) session(ctx context.Context, r flows.Request, a *attempt) (token oauth.Token, err error) {
	c := relayClient{http: f.HTTP, base: strings.TrimSuffix(a.redirect, "/callback")}
	bearer := ""
	if f.Token != nil {
		if bearer, err = f.Token(ctx); err != nil {
			return token, err
		}
	}
	s, err := c.open(ctx, bearer, a, r.Server, f.Label)
	if err != nil {
		if ctx.Err() != nil {
			return token, context.Cause(ctx)
		}
		return token, fmt.Errorf("open a session at the relay: %w: %w", err, flows.ErrUnsupported)
	}
	defer func() { c.end(ctx, s, outcome(err)) }()
	code, err := f.await(ctx, r, a, c, s)
	if err != nil {
		return token, err
	}
	if token, err = r.Client.Token(ctx, a.grant(code)); err != nil {
		return token, fmt.Errorf("exchange the authorization code: %w", err)
	}
	return token, nil
}

// await shows the user code and returns the authorization code of the response.
func (f *Relay) await(ctx context.Context, r flows.Request, a *attempt, c relayClient, s relaySession) (code string, err error) {
	waitCtx, cancel := context.WithDeadline(ctx, s.expiry)
	defer cancel()
	end, _ := waitCtx.Deadline()
	f.Show(waitCtx, RelayCode{
		UserCode: s.UserCode, VerificationURI: s.VerificationURI, VerificationURIComplete: s.VerificationURIComplete,
		Expiry: end, Interval: s.interval, Issuer: a.server.Issuer, Server: r.Server,
		Client: cmp.Or(f.ClientName, r.Client.App.ID), Hosts: Hosts(r.Server, a.server),
	})
	if f.Done != nil {
		defer func() { f.Done(waitCtx, err) }()
	}
	query, err := c.await(waitCtx, s)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case waitCtx.Err() != nil:
		return "", fmt.Errorf("the sign-in was not finished: %w", flows.ErrExpired)
	case err != nil:
		return "", err
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return "", fmt.Errorf("relay: %w", errQuery)
	}
	if err := a.accept(q); err != nil {
		return "", fmt.Errorf("the relay passed on a response that cannot be used: %w", err)
	}
	got := <-a.result
	return got.code, got.err
}

// outcome returns the outcome of a login as the relay's API names it.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, flows.ErrDenied):
		return "denied"
	}
	return "failed"
}
