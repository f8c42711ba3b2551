// Package authcode gets a token through a browser: the authorization code grant
// with PKCE (RFC 7636) for native apps (RFC 8252).
//
// The browser may run on this machine or another one. A listener on loopback
// waits for the redirect; if the browser cannot reach the listener, the user
// pastes the redirect URL from the browser. The first response wins.
//
//	f := &authcode.Flow{Open: open, Prompt: prompt, Paste: readLine}
//	token, err := f.Run(ctx, request)
//
// # Security
//
// State and code verifier are kept only in memory, and one [Flow.Run] accepts
// one response. The state is compared in constant time, and the issuer is
// checked (RFC 9207) before the code is used. The listener accepts only
// loopback connections with its own Host header (DNS rebinding), and its static
// pages contain nothing from a server.
//
// Other users of this machine can reach the listener too. PKCE prevents them
// from getting the token. To complete the login with their own account they
// would need the state, which the listener reveals only at a random path that
// your terminal shows. They can see it if they can read the arguments of your
// browser's process, so check the account that the server shows after the
// login.
//
// # Stability
//
// [Prompt] gets no new methods. New information for it becomes fields of
// [Link].
package authcode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// defaultTimeout leaves the user time to find a password, and ends a forgotten
// login.
const defaultTimeout = 10 * time.Minute

// ErrNoPKCE: the server's metadata does not mention PKCE, and AssumePKCE is not
// set.
var ErrNoPKCE = errors.New("the server does not advertise PKCE support")

const methodS256 = "S256" // RFC 7636 §4.2

// Flow is the authorization code grant. The zero value listens on a random port
// of 127.0.0.1 but shows the URL nowhere; set Open, Prompt or both. A Flow runs
// one login at a time.
type Flow struct {
	// Redirect is the redirect URL.
	Redirect Redirect

	// Open starts a browser and returns when it runs. An error that wraps
	// [flows.ErrUnsupported] ends the run; after any other error the user can
	// still open the link. Nil: no browser can be opened here.
	Open func(ctx context.Context, url string) error

	// Remote is a browser on another machine, instead of Open. Nil: none.
	Remote RemoteBrowser

	// Prompt shows the user where to sign in. Nil: no prompt.
	Prompt Prompt

	// Paste reads a pasted text: the redirect URL from the browser, or only the
	// code if the server does not send iss (RFC 9207). A code alone has no
	// state to check, so it must come from the user who signs in, never from a
	// program. Paste blocks until it has a text or ctx ends. Rejected is why
	// the previous text was rejected; nil for the first call. If Paste is nil
	// or returns an error, only the listener is used.
	Paste func(ctx context.Context, rejected error) (string, error)

	// Timeout limits the wait for the user. Zero: 10 minutes.
	Timeout time.Duration

	// AssumePKCE continues if the server's metadata does not mention PKCE. Set
	// it for servers of MCP 2025-03-26 that publish no metadata; MCP forbids it
	// for others. S256 is sent in any case.
	AssumePKCE bool

	mu       sync.Mutex
	reserved *listener // bound by Metadata for the next Run
}

var _ flows.Registrant = (*Flow)(nil)

// Prompt shows the user where to sign in.
type Prompt interface {
	// ShowLink shows the link and returns immediately. Its ctx ends when the
	// flow stops waiting.
	ShowLink(ctx context.Context, l Link)
}

// Link is what the user needs to sign in.
type Link struct {
	URL      string // the authorization URL, for a browser on any machine
	Local    string // a URL of the listener that redirects to URL, and as secret; "": no listener
	Port     int    // the listener's port, for `ssh -L`; 0: no listener
	Redirect string // the redirect URL
	Server   string // the URL of the MCP server that the token is for
	Issuer   string // the authorization server
	Hosts    flows.Hosts
	Opened   bool      // a browser was started
	Remote   bool      // the browser was started on another machine
	OpenErr  error     // why no browser was started, if Open was called
	Paste    bool      // the flow accepts a pasted text
	Expiry   time.Time // when the flow stops waiting
}

// Hosts returns the hosts that take part in a login by this flow, as in [Link].
func Hosts(server string, as oauth.Server) flows.Hosts {
	as.DeviceAuthorizationEndpoint = "" // not used by this flow
	return flows.HostsOf(server, as, as.AuthorizationEndpoint)
}

// Name is "browser" if a browser can be opened, else "paste".
func (f *Flow) Name() string {
	if f.Open != nil || f.Remote != nil {
		return "browser"
	}
	return "paste"
}

// Check implements [flows.Flow].
func (f *Flow) Check(s oauth.Server) error {
	if err := checkServer(s, f.AssumePKCE); err != nil {
		return err
	}
	t, err := f.Redirect.target()
	if err != nil {
		return err
	}
	if !t.local() && f.Paste == nil {
		return unsupported("the redirect URL leads to another machine, and no terminal is available to paste the address into")
	}
	return nil
}

// checkServer requires the endpoints, the grant and PKCE.
func checkServer(s oauth.Server, assumePKCE bool) error {
	switch {
	case s.AuthorizationEndpoint == "":
		return unsupported("the server has no authorization endpoint")
	case s.TokenEndpoint == "":
		return unsupported("the server has no token endpoint")
	case len(s.GrantTypes) > 0 && !slices.Contains(s.GrantTypes, "authorization_code"):
		return unsupported("the server does not offer the authorization code grant")
	case len(s.CodeChallengeMethods) == 0 && !assumePKCE:
		// MCP 2026-07-28, Security Considerations: clients must refuse to
		// proceed if the metadata lacks this field.
		return fmt.Errorf("%w: %w", ErrNoPKCE, flows.ErrUnsupported)
	case len(s.CodeChallengeMethods) > 0 && !slices.Contains(s.CodeChallengeMethods, methodS256):
		return unsupported("the server does not support PKCE with S256")
	}
	return nil
}

func unsupported(why string) error { return fmt.Errorf("%s: %w", why, flows.ErrUnsupported) }

// Metadata implements [flows.Registrant]. It binds the listener, so that the
// registration has the port that Run will use. [Flow.Close] releases it if Run
// is never called.
func (f *Flow) Metadata() (oauth.ClientMetadata, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reserved == nil {
		t, err := f.Redirect.target()
		if err != nil {
			return oauth.ClientMetadata{}, err
		}
		if f.reserved, err = f.bind(t); err != nil {
			return oauth.ClientMetadata{}, err
		}
	}
	return oauth.ClientMetadata{
		ApplicationType: "native", // RFC 8252 §8.4
		GrantTypes:      []string{"authorization_code", "refresh_token"},
		ResponseTypes:   []string{"code"},
		RedirectURIs:    []string{f.reserved.uri},
	}, nil
}

// Close releases the port that Metadata bound, unless Run uses it.
func (f *Flow) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.reserved
	f.reserved = nil
	if l == nil {
		return nil
	}
	return l.close()
}

// listener returns the listener that Metadata bound if its URL is registered,
// else one that the registration allows.
func (f *Flow) listener(app oauth.App) (*listener, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.reserved
	f.reserved = nil
	if l != nil {
		if len(app.RedirectURIs) == 0 || slices.Contains(app.RedirectURIs, l.uri) {
			return l, nil
		}
		if err := l.close(); err != nil {
			return nil, err
		}
	}
	return f.Redirect.listenFor(app, f.bind)
}

// Run implements [flows.Flow]. Errors wrap [flows.ErrDenied] if access was
// denied, [flows.ErrExpired] after the timeout, [ErrRedirect] or a [*PortError]
// if it cannot listen on the redirect URL, [oauth.ErrIssuer] if the response
// names another issuer, and [*oauth.Error] if the server reported an error.
func (f *Flow) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	if err := f.Check(r.Client.Server); err != nil {
		return oauth.Token{}, err
	}
	l, err := f.listener(r.Client.App)
	if err != nil {
		return oauth.Token{}, err
	}
	a, err := newAttempt(r, l.uri)
	if err != nil {
		return oauth.Token{}, errors.Join(err, l.close())
	}
	stop := l.serve(a)
	defer stop() // after finish: the browser's page waits for the outcome

	token, err := f.exchange(ctx, r, l, a)
	a.finish(err)
	return token, err
}

// exchange waits for the code and exchanges it for a token.
func (f *Flow) exchange(ctx context.Context, r flows.Request, l *listener, a *attempt) (oauth.Token, error) {
	code, err := f.await(ctx, r, l, a)
	if err != nil {
		return oauth.Token{}, err
	}
	token, err := r.Client.Token(ctx, a.grant(code))
	if err != nil {
		return oauth.Token{}, fmt.Errorf("exchange the authorization code: %w", err)
	}
	return token, nil
}

// await shows the prompt and returns the code of the first accepted response.
func (f *Flow) await(ctx context.Context, r flows.Request, l *listener, a *attempt) (string, error) {
	timeout := f.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	var guide sync.WaitGroup
	guide.Go(func() { f.guide(ctx, r, l, a) })
	defer guide.Wait()
	defer cancel()

	select {
	case got := <-a.result:
		return got.code, got.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", fmt.Errorf("the sign-in was not finished: %w", flows.ErrExpired)
		}
		return "", context.Cause(ctx)
	}
}

// guide opens the browser or shows the link, and reads pasted texts.
func (f *Flow) guide(ctx context.Context, r flows.Request, l *listener, a *attempt) {
	link := Link{
		URL: a.url, Local: l.short(a), Port: l.listeningPort(),
		Redirect: l.uri, Server: r.Server, Issuer: a.server.Issuer, Hosts: Hosts(r.Server, a.server), Paste: f.Paste != nil,
	}
	link.Expiry, _ = ctx.Deadline()
	switch {
	case f.Remote != nil:
		if err := f.Remote.Open(ctx, a.url); err != nil {
			_ = a.deliver(result{err: fmt.Errorf("%w: %w", err, flows.ErrUnsupported)}) // best effort: only the first result counts
			return
		}
		link.Opened, link.Remote = true, true
		var elsewhere sync.WaitGroup
		elsewhere.Go(func() { a.awaitRemote(ctx, f.Remote) })
		defer elsewhere.Wait()
	case f.Open != nil:
		link.OpenErr = f.Open(ctx, a.url)
		link.Opened = link.OpenErr == nil
		if errors.Is(link.OpenErr, flows.ErrUnsupported) {
			_ = a.deliver(result{err: link.OpenErr}) // best effort: only the first result counts
			return
		}
	}
	if ctx.Err() != nil {
		return
	}
	if f.Prompt != nil {
		f.Prompt.ShowLink(ctx, link)
	}
	if f.Paste != nil {
		a.readPastes(ctx, f.Paste)
	}
}
