package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// DefaultMinTTL is the life that a handed-out token has left at least.
const DefaultMinTTL = 60 * time.Second

// Config says whose credential a Session keeps, and where.
type Config struct {
	// Profile names the credential. Required.
	Profile string
	// Server is the MCP server's URL; "" means the stored credential's.
	Server string
	// Store keeps the credential. Required, unless a Lender is given.
	Store secrets.Store
	// Lender lends the token in place of a Store; such a session changes
	// nothing. Nil: there is none.
	Lender Lender
	// Flows get a token, best first. Only Login and Ensure run one that needs a
	// person; one that needs none also renews what it got. Nil means that no
	// login is possible.
	Flows []flows.Flow
	// HTTP returns the client that may reach an MCP server and what it names,
	// the same one each time; nil means oauth.Guard{}.Clients().
	HTTP func(server string) *http.Client
	// MinTTL is the life that a token must have left, else it is refreshed. Of
	// tokens that are given for not much more, or less, a quarter of their life
	// is asked instead: else each request would refresh them. Zero means
	// DefaultMinTTL.
	MinTTL time.Duration
	// Patience is how long a caller waits for a refresh while the token that
	// there is still is valid for a moment; the refresh goes on without it. Zero
	// means until it ends, as a program wants that ends itself afterwards: what
	// is cut off may be lost.
	Patience time.Duration
	// Register is what a Login may use to become known to the server.
	Register Registration
	// Login is what a Login asks for.
	Login LoginOptions
	// Replace has a Login replace whatever is stored, as if nothing were: also the
	// credential of another server, or a record that cannot be read. Until the
	// login is complete the record stays. A newer version's is never replaced.
	Replace bool
	// AcceptServer is asked before a Login or a renewal sends anything to an
	// authorization server, and before a stored token is used. Its error refuses
	// that one; a Login may take another that the MCP server names. Nil accepts
	// all. That one is accepted does not make it the one that secrets may be sent
	// to: see Registration.Issuer.
	AcceptServer func(oauth.Server) error
	// Permit is asked before a flow that needs no person runs as a stored record
	// says. Anybody who can write to the store can have a record name a source to
	// read here, an audience to ask for, and an endpoint to send it all to. Its
	// error refuses the run. Nil permits all.
	Permit func(context.Context, Credential) error
	// Known reports whether a stored credential is from a login that this user
	// completed. Anybody who can write to the store can have a record name an
	// issuer and endpoints, so a Login sends no secret there because of an unknown
	// record. Nil knows all.
	Known func(Credential) bool
	// Accept is asked before what a Login got is stored. Its error refuses it:
	// the tokens are revoked and the stored credential stays. Nil accepts all.
	Accept func(Credential) error
	// Chosen is told the flow that a Login is about to run, and the next one if
	// that turns out to be unsupported; nil: nobody is told.
	Chosen func(flows.Choice)
	// Log hears of what goes on; nil means silence. No secret is logged.
	Log *slog.Logger
}

// Session keeps one profile's credential usable. It is safe for use by many
// goroutines; any number of sessions, processes and hosts may share one store.
type Session struct {
	cfg    Config
	log    *slog.Logger
	turn   chan struct{} // one goroutine renews at a time; a channel, so that waiting honours ctx
	cached atomic.Pointer[Credential]

	mu     sync.Mutex // guards flight
	flight *flight    // nil: none is under way
}

// Open returns a Session. It does no I/O.
func Open(cfg Config) (*Session, error) {
	if err := secrets.CheckName(cfg.Profile); err != nil {
		return nil, fmt.Errorf("profile %q: %w", cfg.Profile, err)
	}
	if (cfg.Store == nil) == (cfg.Lender == nil) {
		return nil, errors.New("open session: give either a store or a lender")
	}
	if cfg.Server != "" {
		if _, err := oauth.CheckURL(cfg.Server); err != nil {
			return nil, fmt.Errorf("server URL: %w", err)
		}
	}
	if cfg.MinTTL == 0 {
		cfg.MinTTL = DefaultMinTTL
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.HTTP == nil {
		cfg.HTTP = oauth.Guard{}.Clients()
	}
	return &Session{cfg: cfg, log: cfg.Log, turn: make(chan struct{}, 1)}, nil
}

// Token returns a token with MinTTL left, refreshing it when due. It never
// prompts: where only a person can help it returns ErrLoginRequired. If a
// refresh fails for now, a token that has not expired is still returned.
func (s *Session) Token(ctx context.Context) (oauth.Token, error) {
	c, err := s.current(ctx)
	if err != nil {
		return oauth.Token{}, err
	}
	return c.Token, nil
}

// Current is Token with all that belongs to it.
func (s *Session) Current(ctx context.Context) (Credential, error) {
	c, err := s.current(ctx)
	if err != nil {
		return Credential{}, err
	}
	return *c, nil
}

// current is Current without a copy.
func (s *Session) current(ctx context.Context) (*Credential, error) {
	if c := s.cached.Load(); c != nil && s.fresh(c) {
		return c, nil
	}
	c, err := s.renew(ctx, "")
	return &c, err
}

// Refresh gets a new token even if the stored one is still valid. Callers that
// do so at once share one exchange. It never prompts.
func (s *Session) Refresh(ctx context.Context) (oauth.Token, error) {
	c, err := s.Accepted(ctx)
	if err != nil {
		return oauth.Token{}, err
	}
	c, err = s.renew(ctx, c.Token.Access)
	return c.Token, err
}

// Headers returns the headers that authorize a request to the MCP server
// (RFC 6750 §2.1), refreshing the token when due. It never prompts. For a token
// that is bound to a key it returns ErrBound.
func (s *Session) Headers(ctx context.Context) (http.Header, error) {
	c, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	value, err := c.Authorization()
	if err != nil {
		return nil, err
	}
	return http.Header{"Authorization": {value}}, nil
}

// Ensure returns a valid token: the stored one, else a refreshed one, else the
// one of a new login. With Login it is the only method that may prompt.
func (s *Session) Ensure(ctx context.Context) (oauth.Token, error) {
	t, err := s.Token(ctx)
	if !errors.Is(err, ErrLoginRequired) || s.keeps() != nil {
		return t, err
	}
	c, err := s.Login(ctx)
	return c.Token, err
}

// Credential returns the stored credential as it is, without refreshing it.
// Where none is stored it returns ErrLoginRequired. A Lender gives what it lends.
func (s *Session) Credential(ctx context.Context) (Credential, error) {
	if s.cfg.Lender != nil {
		return s.borrow(ctx, 0, "")
	}
	c, _, err := s.read(ctx)
	if errors.Is(err, secrets.ErrNotFound) {
		return c, s.loginRequired("no credential is stored")
	}
	return c, err
}

// Accepted is Credential for a caller that is about to use the token: one of an
// authorization server that AcceptServer refuses is an error.
func (s *Session) Accepted(ctx context.Context) (Credential, error) {
	c, err := s.Credential(ctx)
	if err == nil && s.cfg.Lender == nil {
		err = s.acceptIssuer(c)
	}
	return c, err
}

// Clear removes the credential here and tells no server. Clearing what is not
// there is ErrLoginRequired, so that a mistyped name is noticed.
func (s *Session) Clear(ctx context.Context) error {
	if err := s.keeps(); err != nil {
		return err
	}
	s.cached.Store(nil)
	err := s.cfg.Store.Delete(ctx, s.cfg.Profile, secrets.Any)
	if errors.Is(err, secrets.ErrNotFound) {
		return s.loginRequired("no credential is stored")
	}
	if err != nil {
		return fmt.Errorf("delete credential %q: %w", s.cfg.Profile, err)
	}
	return nil
}

func (s *Session) loginRequired(reason string) error {
	return &LoginRequiredError{Profile: s.cfg.Profile, Server: s.cfg.Server, Reason: reason}
}

func (c Credential) loginRequired(reason string) error {
	return &LoginRequiredError{Profile: c.Profile, Server: c.Server, Reason: reason}
}
