package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// sharePoll is how often a proxy looks whether the sign-in of another one is over.
const sharePoll = 250 * time.Millisecond

// errElsewhere is a sign-in that another process began, and that got no credential.
var errElsewhere = errors.New("the sign-in that another window started ended without approval")

// SignIn lets the user of an MCP client sign in from inside it. All clients of a
// process share one SignIn, and the proxies of a profile on this host share one
// sign-in at a time: one shows where to approve, the others wait for the outcome.
type SignIn struct {
	// Login signs in and stores the credential. It asks by the prompt and nowhere
	// else. Scopes are those to ask for beside the usual ones. Required.
	Login func(ctx context.Context, p *Prompt, scopes []string) (mcplogin.Credential, error)
	// Account says for people who is signed in; "" where nobody can tell. Nil: nobody can.
	Account func(mcplogin.Credential) string
	// Machine names this machine for people; "": none.
	Machine string
	// State is what the proxies of the profile share; the zero value shares nothing.
	State proxystate.Profile

	cache serverCache

	mu   sync.Mutex // guards what follows
	last *attempt   // nil: there was none
	need need
}

// need is why a sign-in is wanted although a credential is stored.
type need struct {
	rejected string    // token that the server no longer accepts
	scopes   []string  // that the stored credential lacks
	loggedIn time.Time // when the credential that lacks them was issued
}

// isMetBy reports whether a credential is one that the need was not about.
func (n need) isMetBy(c mcplogin.Credential) bool {
	return (n.rejected == "" || c.Token.Access != n.rejected) && (len(n.scopes) == 0 || !c.LoggedInAt.Equal(n.loggedIn))
}

// attempt is one sign-in under way, here or in another process.
type attempt struct {
	id          string
	previousErr error   // of the sign-in before, of which nobody was told; nil: none
	shown       *signal // there is a page to show
	ended       *signal
	running     *signal // it runs here, and takes pasted texts
	pasted      chan string
	pasteErr    chan error // with the last pasted text

	mu       sync.Mutex // guards what follows
	page     proxystate.Page
	err      error // once ended; nil: signed in
	reported bool  // somebody knows of err
}

func newAttempt() *attempt {
	return &attempt{id: rand.Text(), shown: newSignal(), ended: newSignal(), running: newSignal(), pasted: make(chan string), pasteErr: make(chan error)}
}

func (a *attempt) isOver() bool { return a.ended.isSet() }

// show notes what people are to see.
func (a *attempt) show(page proxystate.Page) {
	a.mu.Lock()
	a.page = page
	a.mu.Unlock()
	a.shown.set()
}

func (a *attempt) current() proxystate.Page {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.page
}

// outcome returns how the attempt has ended, to be told.
func (a *attempt) outcome() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reported = true
	return a.err
}

// unreported returns the error that nobody was told of.
func (a *attempt) unreported() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reported {
		return nil
	}
	return a.err
}

func (a *attempt) finish(err error) {
	a.mu.Lock()
	a.err = err
	a.mu.Unlock()
	a.ended.set()
}

// The reasons why a pasted text is not looked at.
var (
	errNotURL      = errors.New("it is not the complete URL")
	errOtherWindow = errors.New("another window started the sign-in; paste it there")
	errNoPaste     = errors.New("this sign-in needs no pasted URL")
)

// paste gives the flow an address that the user pasted, and returns what is wrong
// with it. A bare code is not taken: it came through a model, and nothing in it shows
// that it belongs to this sign-in.
func (a *attempt) paste(ctx context.Context, text string) error {
	switch page := a.current(); {
	case !strings.Contains(text, "?") || !strings.Contains(text, "state="):
		return errNotURL
	case page.Redirect == "":
		return errNoPaste
	case !a.running.isSet():
		return errOtherWindow
	}
	select {
	case a.pasted <- text:
	case <-a.ended.ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-a.pasteErr:
		return err
	case <-a.ended.ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isRequiredAfter notes why a request failed, where a sign-in helps against that, and reports
// whether one does.
func (s *SignIn) isRequiredAfter(ctx context.Context, session *mcplogin.Session, err error) bool {
	scope, lacks := errors.AsType[*mcplogin.InsufficientScopeError](err)
	if s == nil || !lacks && !errors.Is(err, mcplogin.ErrLoginRequired) {
		return false
	}
	c, readErr := session.Accepted(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case lacks:
		s.need.scopes, s.need.loggedIn = append(s.need.scopes[:0:0], scope.Scopes...), c.LoggedInAt
	case readErr == nil && c.Valid(0):
		s.need.rejected = c.Token.Access
	}
	return true
}

// signedIn returns the credential if no sign-in is needed.
func (s *SignIn) signedIn(ctx context.Context, session *mcplogin.Session) (mcplogin.Credential, bool) {
	s.mu.Lock()
	n := s.need
	s.mu.Unlock()
	c, err := session.Accepted(ctx) // what is stored now: another process may have signed in
	if err == nil && !n.isMetBy(c) {
		return c, false
	}
	if c, err = session.Current(ctx); err != nil {
		return c, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.isMetBy(c) {
		s.need = need{}
	}
	return c, true
}

// start returns the sign-in that is under way, or begins one that lasts until ctx ends
// whatever becomes of those who wait for it.
func (s *SignIn) start(ctx context.Context, up Upstream) *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.last.isOver() {
		next := newAttempt()
		if s.last != nil {
			next.previousErr = s.last.unreported()
		}
		s.last = next
		go s.run(ctx, up, s.last)
	}
	return s.last
}

// lastAttempt returns the last sign-in that was begun; nil if there was none.
func (s *SignIn) lastAttempt() *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// run takes an attempt to its end.
func (s *SignIn) run(ctx context.Context, up Upstream, a *attempt) {
	unlock, locked, err := s.State.TryLock()
	if err != nil {
		up.log().Warn("sign-ins are not shared with other proxies", "error", err)
		unlock, locked = func() {}, true
	}
	if !locked {
		unlock, err = s.waitElsewhere(ctx, a)
		if err == nil {
			if _, done := s.signedIn(ctx, up.Session); !done {
				err = errElsewhere
			}
			unlock()
		}
		a.finish(err)
		return
	}
	err = s.runHere(ctx, up, a)
	unlock() // before the end: the next sign-in may begin then
	a.finish(err)
}

// runHere signs in, unless another process has done so in the meantime.
func (s *SignIn) runHere(ctx context.Context, up Upstream, a *attempt) error {
	if _, done := s.signedIn(ctx, up.Session); done {
		return nil
	}
	s.mu.Lock()
	scopes := s.need.scopes
	s.mu.Unlock()
	a.running.set()
	defer func() { _ = s.State.Hide() }() // the lock says whether it counts
	_, err := s.Login(ctx, &Prompt{attempt: a, state: s.State, log: up.log()}, scopes)
	if err == nil {
		s.mu.Lock()
		s.need = need{}
		s.mu.Unlock()
	}
	return err
}

// waitElsewhere waits for the end of another process's sign-in and shows what that
// shows. It returns with the lock held.
func (s *SignIn) waitElsewhere(ctx context.Context, a *attempt) (unlock func(), err error) {
	for {
		if page, ok := s.State.Shown(); ok {
			a.show(page)
		}
		select {
		case <-time.After(sharePoll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		unlock, locked, err := s.State.TryLock()
		if locked || err != nil {
			return unlock, err
		}
	}
}
