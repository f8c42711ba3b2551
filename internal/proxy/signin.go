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

// sharePoll is how often a proxy checks whether the sign-in of another one has ended.
const sharePoll = 250 * time.Millisecond

// errElsewhere means that another process started a sign-in and got no credential.
var errElsewhere = errors.New("the sign-in that another window started ended without approval")

// SignIn lets the user of an MCP client sign in from inside it. All clients of a
// process share one SignIn, and the proxies of a profile on this host share one
// sign-in at a time: one shows where to approve, the others wait for the outcome.
type SignIn struct {
	// Login signs in and stores the credential. It asks only through the prompt. Scopes are
	// requested in addition to the usual ones. Required.
	Login func(ctx context.Context, p *Prompt, scopes []string) (mcplogin.Credential, error)
	// Account names who is signed in, for people; "" if that is not known. Nil means never
	// known.
	Account func(mcplogin.Credential) string
	// Machine names this machine, for people; "" means no name.
	Machine string
	// State is what the proxies of the profile share; the zero value shares nothing.
	State proxystate.Profile

	cache serverCache

	mu   sync.Mutex // guards the fields below
	last *attempt   // nil if there was none
	need need
}

// need is why a sign-in is required although a credential is stored.
type need struct {
	rejected string    // token that the server no longer accepts
	scopes   []string  // that the stored credential lacks
	loggedIn time.Time // when the credential that lacks them was issued
}

// isMetBy reports whether a credential is newer than the need.
func (n need) isMetBy(c mcplogin.Credential) bool {
	return (n.rejected == "" || c.Token.Access != n.rejected) && (len(n.scopes) == 0 || !c.LoggedInAt.Equal(n.loggedIn))
}

// attempt is one sign-in in progress, here or in another process.
type attempt struct {
	id          string
	previousErr error   // of the sign-in before, if it was not reported
	shown       *signal // set when there is a page to show
	ended       *signal
	running     *signal // set when it runs here and accepts pasted text
	pasted      chan string
	pasteErr    chan error // of the last pasted text

	mu       sync.Mutex // guards the fields below
	page     proxystate.Page
	err      error // set at the end; nil means signed in
	reported bool  // err was reported
}

func newAttempt() *attempt {
	return &attempt{id: rand.Text(), shown: newSignal(), ended: newSignal(), running: newSignal(), pasted: make(chan string), pasteErr: make(chan error)}
}

func (a *attempt) isOver() bool { return a.ended.isSet() }

// show records what people are to see.
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

// outcome returns how the attempt ended, and notes that this was reported.
func (a *attempt) outcome() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reported = true
	return a.err
}

// unreported returns the attempt's error if it was not reported.
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

// The reasons why a pasted text is rejected.
var (
	errNotURL      = errors.New("it is not the complete URL")
	errOtherWindow = errors.New("another window started the sign-in; paste it there")
	errNoPaste     = errors.New("this sign-in needs no pasted URL")
)

// paste passes a URL that the user pasted to the flow, and returns what is wrong with it.
// It rejects a bare code: that came through a model, and nothing in it shows that it
// belongs to this sign-in.
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

// isRequiredAfter reports whether a sign-in would fix an error, and records why.
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

// signedIn returns the credential if no sign-in is required.
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

// start returns the sign-in in progress, or starts one that lasts until ctx ends, even if
// nobody waits for it any longer.
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

// lastAttempt returns the last sign-in; nil if there was none.
func (s *SignIn) lastAttempt() *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// run runs an attempt to its end.
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
	unlock() // before finish: the next sign-in may start then
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
	defer func() { _ = s.State.Hide() }() // best effort: without the lock, the page does not count
	_, err := s.Login(ctx, &Prompt{attempt: a, state: s.State, log: up.log()}, scopes)
	if err == nil {
		s.mu.Lock()
		s.need = need{}
		s.mu.Unlock()
	}
	return err
}

// waitElsewhere waits for the end of another process's sign-in, and shows its page. It
// returns with the lock held.
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
