// Package authcode gets a token through a browser: the authorization code
// grant with PKCE (RFC 7636), as RFC 8252 asks of native apps.
//
// The browser may be here or elsewhere. A listener on this machine's loopback
// waits for it; where it cannot reach the listener, a person pastes the address
// at which it ended. Whichever comes first wins.
//
//	f := &authcode.Flow{Open: open, Prompt: prompt, Paste: readLine}
//	token, err := f.Run(ctx, request)
//
// # Security
//
// State and code verifier live in memory only, and one [Flow.Run] takes one
// answer. The state is compared in constant time and the issuer (RFC 9207)
// before the code goes anywhere. The listener answers on loopback alone, to its
// own Host (DNS rebinding), with static pages that hold nothing a server said.
//
// Other users of this machine can reach the listener too. PKCE keeps the token
// from them. To finish the login with an account of their own they would need
// the state, which the listener shows only at a random path that your terminal
// names. They can see it if they can read the arguments of your browser's
// process, so check the account that the server shows after the login.
//
// # Stability
//
// [Prompt] does not grow. New facts for it become fields of [Link].
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

// defaultTimeout leaves a person time to find a password, and ends a login
// that was forgotten.
const defaultTimeout = 10 * time.Minute

// ErrNoPKCE: the server's metadata do not mention PKCE, and AssumePKCE is not set.
var ErrNoPKCE = errors.New("the server does not advertise PKCE support")

const methodS256 = "S256" // RFC 7636 §4.2

// Flow is the authorization code grant. The zero value listens on a random
// port of 127.0.0.1 and tells nobody; set Open, Prompt or both. A Flow runs one
// login at a time.
type Flow struct {
	// Redirect says where the browser is sent back to.
	Redirect Redirect

	// Open starts a browser and returns once it runs, or why it does not. An error
	// that wraps [flows.ErrUnsupported] ends the run; after any other the person
	// can open the link. Nil: no browser can be opened here.
	Open func(ctx context.Context, url string) error

	// Elsewhere is a browser on another machine, in place of Open. Nil: none is.
	Elsewhere Elsewhere

	// Prompt shows the person where to sign in. Nil: nobody is told.
	Prompt Prompt

	// Paste reads one pasted text: the address at which the browser ended, or
	// the code alone where the server does not name itself in its answers
	// (RFC 9207). A bare code carries no state to check, so it must come from
	// the person who logs in, never from a program. It blocks until there is a
	// text and returns when ctx ends. Rejected is nil at first, then what was
	// wrong with the text before. Nil, or an error from it: nothing is pasted.
	Paste func(ctx context.Context, rejected error) (string, error)

	// Timeout bounds the wait for the person. Zero: 10 minutes.
	Timeout time.Duration

	// AssumePKCE goes on where the server's metadata do not mention PKCE. For
	// servers of MCP 2025-03-26 that publish no metadata; elsewhere MCP forbids
	// it. S256 is sent all the same.
	AssumePKCE bool

	mu       sync.Mutex
	reserved *listener // bound by Metadata for the next Run
}

var _ flows.Registrant = (*Flow)(nil)

// Prompt shows a person where to sign in.
type Prompt interface {
	// ShowLink returns at once. Its ctx ends with the waiting.
	ShowLink(ctx context.Context, l Link)
}

// Link is what a person needs to sign in by hand.
type Link struct {
	URL       string // the authorization URL, for a browser anywhere
	Local     string // an address on this machine that leads there, as secret as URL; "": nobody listens
	Port      int    // the listener's port, for `ssh -L`; 0: nobody listens
	Redirect  string // where the browser will end
	Server    string // the MCP server's URL: what the token is for
	Issuer    string // who will ask
	Hosts     flows.Hosts
	Opened    bool      // a browser was started
	Elsewhere bool      // it was started on another machine
	OpenErr   error     // why none was, if one was tried
	Paste     bool      // a pasted text is awaited
	Expiry    time.Time // when the waiting ends
}

// Hosts returns the hosts of a login by this flow, as its [Link] has them.
func Hosts(server string, as oauth.Server) flows.Hosts {
	as.DeviceAuthorizationEndpoint = "" // takes no part
	return flows.HostsOf(server, as, as.AuthorizationEndpoint)
}

// Name is "browser" if a browser can be opened, else "paste".
func (f *Flow) Name() string {
	if f.Open != nil || f.Elsewhere != nil {
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

// checkServer wants the grant and PKCE.
func checkServer(s oauth.Server, assumePKCE bool) error {
	switch {
	case s.AuthorizationEndpoint == "":
		return unsupported("the server has no authorization endpoint")
	case s.TokenEndpoint == "":
		return unsupported("the server has no token endpoint")
	case len(s.GrantTypes) > 0 && !slices.Contains(s.GrantTypes, "authorization_code"):
		return unsupported("the server does not offer the authorization code grant")
	case len(s.CodeChallengeMethods) == 0 && !assumePKCE:
		// MCP 2026-07-28, Security Considerations: without the field in its
		// metadata a client must refuse to proceed.
		return fmt.Errorf("%w: %w", ErrNoPKCE, flows.ErrUnsupported)
	case len(s.CodeChallengeMethods) > 0 && !slices.Contains(s.CodeChallengeMethods, methodS256):
		return unsupported("the server does not support PKCE with S256")
	}
	return nil
}

func unsupported(why string) error { return fmt.Errorf("%s: %w", why, flows.ErrUnsupported) }

// Metadata implements [flows.Registrant]. It binds the listener, so that the
// registration holds the port that Run will use. [Flow.Close] frees it if Run
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

// Close frees the port that Metadata bound, unless Run has taken it.
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

// listener returns the listener that Metadata bound if the registration knows
// it, else one that the registration allows.
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
// denied, [flows.ErrExpired] if nobody came in time, [ErrRedirect] or a
// [*PortError] if the browser cannot be received, [oauth.ErrIssuer] if another
// server answered, and [*oauth.Error] if the server reported one.
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

// exchange waits for the code and trades it for a token.
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

// await guides the person and returns the code of the first good answer.
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
	case got := <-a.answer:
		return got.code, got.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", fmt.Errorf("the sign-in was not finished: %w", flows.ErrExpired)
		}
		return "", context.Cause(ctx)
	}
}

// guide leads the person to the server and, if need be, takes the answer back
// by hand.
func (f *Flow) guide(ctx context.Context, r flows.Request, l *listener, a *attempt) {
	link := Link{
		URL: a.url, Local: l.short(a), Port: l.listening(),
		Redirect: l.uri, Server: r.Server, Issuer: a.server.Issuer, Hosts: Hosts(r.Server, a.server), Paste: f.Paste != nil,
	}
	link.Expiry, _ = ctx.Deadline()
	switch {
	case f.Elsewhere != nil:
		if err := f.Elsewhere.Open(ctx, a.url); err != nil {
			_ = a.take(answer{err: fmt.Errorf("%w: %w", err, flows.ErrUnsupported)}) // the first
			return
		}
		link.Opened, link.Elsewhere = true, true
		var elsewhere sync.WaitGroup
		elsewhere.Go(func() { a.readElsewhere(ctx, f.Elsewhere) })
		defer elsewhere.Wait()
	case f.Open != nil:
		link.OpenErr = f.Open(ctx, a.url)
		link.Opened = link.OpenErr == nil
		if errors.Is(link.OpenErr, flows.ErrUnsupported) {
			_ = a.take(answer{err: link.OpenErr}) // the first
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
