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

// Relay is the authorization code grant whose answer comes back over a relay: a
// web server of the user's own team with a fixed redirect URI. It shows a short
// link and a code, as the device flow does, for servers without a device grant.
//
// The relay sees the authorization URL and the code, never the code verifier. Its
// answer is checked as any other: a relay that is hostile can make a sign-in fail.
// Its operator can also start sign-ins with the same client id
// and have people approve them, so use only a relay of people you trust.
type Relay struct {
	// URL is the relay's address, such as https://login.example.com.
	URL string
	// Token returns what opens sessions at the relay; nil: it is a public one.
	Token func(ctx context.Context) (string, error)
	// HTTP reaches the relay. Required.
	HTTP *http.Client
	// Show shows a code and its link and returns at once. Its ctx ends with the
	// wait. A second call replaces the first code. Required.
	Show func(ctx context.Context, c RelayCode)
	// Done is called when the wait for a shown code is over; nil: nobody is told.
	Done func(ctx context.Context, err error)
	// Label names this machine on the relay's page.
	Label string
	// ClientName is shown as the client; "": the client id.
	ClientName string
	// AssumePKCE is as in Flow.
	AssumePKCE bool
}

// RelayCode is what a person needs to see in order to approve. The fields have the
// meaning that those of a device code have.
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

// maxReopened is how often a login opens a new session in place of one that the
// relay forgot, when it was restarted.
const maxReopened = 3

// Name returns "relay".
func (f *Relay) Name() string { return "relay" }

// Address returns the relay's address.
func (f *Relay) Address() string { return f.URL }

// Check implements [flows.Flow].
func (f *Relay) Check(s oauth.Server) error {
	if err := checkServer(s, f.AssumePKCE); err != nil {
		return err
	}
	_, err := f.base()
	return err
}

// base returns the relay's address without a slash at its end.
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

// Metadata implements [flows.Registrant]. The client is a web application: its
// redirect URI is https.
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

// suits reports whether a client can have its answer sent to the relay. Some servers
// accept a registration and leave redirect URIs out that they do not like: a fresh
// client without it leaves the login to the next flow.
func (f *Relay) suits(app oauth.App, redirect string) error {
	foreign := strings.HasPrefix(app.ID, "https://") && app.ID != f.DocumentURL()
	switch {
	case slices.Contains(app.RedirectURIs, redirect):
	case app.RedirectURIs != nil || foreign:
		return fmt.Errorf("%w: %w: %w: the server did not register %s", ErrRedirect, flows.ErrClient, flows.ErrUnsupported, redirect)
	}
	return nil // without a list, it is registered by hand
}

// Run implements [flows.Flow]. A relay that is away or refuses the login gives
// flows.ErrUnsupported, so that the next flow is tried; later errors are those of
// [Flow.Run].
func (f *Relay) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	if err := f.Check(r.Client.Server); err != nil {
		return oauth.Token{}, err
	}
	redirect, err := f.redirect()
	if err == nil {
		err = f.suits(r.Client.App, redirect)
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
		if !errors.Is(err, errForgotten) || reopened == maxReopened {
			return token, err
		}
	}
}

// session signs in over one session of the relay.
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

// await shows the code and returns the authorization code of the answer.
func (f *Relay) await(ctx context.Context, r flows.Request, a *attempt, c relayClient, s relaySession) (code string, err error) {
	within, cancel := context.WithDeadline(ctx, s.expiry)
	defer cancel()
	end, _ := within.Deadline()
	f.Show(within, RelayCode{
		UserCode: s.UserCode, VerificationURI: s.VerificationURI, VerificationURIComplete: s.VerificationURIComplete,
		Expiry: end, Interval: s.interval, Issuer: a.server.Issuer, Server: r.Server,
		Client: cmp.Or(f.ClientName, r.Client.App.ID), Hosts: Hosts(r.Server, a.server),
	})
	if f.Done != nil {
		defer func() { f.Done(within, err) }()
	}
	query, err := c.await(within, s)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case within.Err() != nil:
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
	got := <-a.answer
	return got.code, got.err
}

// outcome says how a login ended, in the relay's words.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, flows.ErrDenied):
		return "denied"
	}
	return "failed"
}
