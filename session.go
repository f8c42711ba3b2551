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
	"github.com/mcp-login/mcp-login/internal/semaphore"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// DefaultMinTTL is the default of Config.MinTTL.
const DefaultMinTTL = 60 * time.Second

// Config says which credential a Session uses, and where it is stored.
type Config struct {
	// Profile names the credential. Required.
	Profile string
	// Server is the MCP server's URL; "" means the stored credential's.
	Server string
	// Source is where the credential is: [Stored] or [Brokered]. Required.
	Source Source
	// HTTP returns the client for requests to an MCP server and to the servers
	// that it names. It returns the same client for the same server. Nil means
	// oauth.Guard{}.Clients().
	HTTP func(server string) *http.Client
	// MinTTL is the remaining lifetime below which a token is refreshed. If the
	// server issues tokens for barely more than MinTTL, or for less, a quarter of
	// their lifetime applies instead: otherwise each request would refresh them.
	// Zero means DefaultMinTTL.
	MinTTL time.Duration
	// Renewal says how a stored credential is renewed beyond refresh tokens.
	Renewal Renewal
	// Trust decides which servers and which stored records count.
	Trust Trust
	// Log receives log messages; nil means none. No secret is logged.
	Log *slog.Logger
}

// Renewal says how a stored credential is renewed. The zero Renewal uses refresh
// tokens, and a caller waits until a refresh ends.
type Renewal struct {
	// MaxWait is how long a caller waits for a refresh while the old token is
	// valid for at least 10 more seconds; the refresh continues in the background.
	// Zero means until the refresh ends. A short-lived program needs zero: if it
	// exits during a refresh, the new token may be lost.
	MaxWait time.Duration
	// Done is called after each refresh by this session: with the new
	// credential, or with the old one and the error. Nil means no call.
	Done func(Credential, error)
	// Flows are non-interactive flows that may run again to renew the credentials
	// that they obtained. Nil means none.
	Flows []flows.Flow
}

// Session provides one profile's credential and renews it. It is safe for use
// by many goroutines; any number of sessions, processes and hosts may share one
// store.
type Session struct {
	cfg    Config
	log    *slog.Logger
	source source
	store  secrets.Store       // a closedStore if the session may not change the credential
	sem    semaphore.Semaphore // one goroutine renews at a time, and waiting for it obeys ctx
	cached atomic.Pointer[cached]

	mu       sync.Mutex     // guards what follows
	calls    sync.WaitGroup // renewals in flight
	inFlight *call          // nil: no renewal is in flight
	failure  error          // of the last refresh; nil: it succeeded, or none was tried
	tried    time.Time      // when the last refresh ended; zero: none was tried
}

// Open returns a Session. It does no I/O.
func Open(cfg Config) (*Session, error) {
	if err := secrets.CheckName(cfg.Profile); err != nil {
		return nil, fmt.Errorf("profile %q: %w", cfg.Profile, err)
	}
	if cfg.Source == nil {
		return nil, errors.New("open session: no source is set")
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
	s := &Session{cfg: cfg, log: cfg.Log, sem: semaphore.New()}
	s.source, s.store = cfg.Source.open(s)
	return s, nil
}

// Token returns a token with MinTTL left, refreshing it when due. It never
// prompts: if the user must sign in it returns ErrLoginRequired. If a refresh
// fails, a token that has not expired is still returned.
func (s *Session) Token(ctx context.Context) (oauth.Token, error) {
	c, err := s.current(ctx)
	if err != nil {
		return oauth.Token{}, err
	}
	return c.Token, nil
}

// Current returns the credential of the token that Token returns.
func (s *Session) Current(ctx context.Context) (Credential, error) {
	c, err := s.current(ctx)
	if err != nil {
		return Credential{}, err
	}
	return *c, nil
}

// current is Current without a copy.
func (s *Session) current(ctx context.Context) (*Credential, error) {
	if c := s.cached.Load(); c != nil && c.fresh(time.Now()) {
		return &c.Credential, nil
	}
	c, err := s.renew(ctx, "")
	return &c, err
}

// Refresh gets a new token even if the stored one is still valid. Concurrent
// callers share one exchange. It never prompts.
func (s *Session) Refresh(ctx context.Context) (Credential, error) {
	c, err := s.Accepted(ctx)
	if err != nil {
		return Credential{}, err
	}
	return s.renew(ctx, c.Token.Access)
}

// Headers returns the headers that authorize a request to the MCP server (RFC
// 6750 §2.1), refreshing the token when due. It never prompts. For a DPoP token
// it returns ErrBound.
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

// Ensure is Current, followed by Login if the user must sign in. Ensure and Login
// are the only methods that may prompt. The token of a login is returned even if
// its lifetime is less than MinTTL.
func (s *Session) Ensure(ctx context.Context, req LoginRequest) (Credential, error) {
	c, err := s.Current(ctx)
	if !errors.Is(err, ErrLoginRequired) || s.source.checkWritable() != nil {
		return c, err
	}
	return s.Login(ctx, req)
}

// Credential returns the credential as it is, without refreshing it. If none is
// stored it returns ErrLoginRequired.
func (s *Session) Credential(ctx context.Context) (Credential, error) {
	return s.source.credential(ctx)
}

// Accepted is Credential for a caller that will use the token: it returns an
// error if Trust.AcceptServer rejects the authorization server.
func (s *Session) Accepted(ctx context.Context) (Credential, error) {
	return s.source.accepted(ctx)
}

// Clear deletes the stored credential without contacting a server. If none is
// stored it returns ErrLoginRequired, so that a mistyped name is noticed.
func (s *Session) Clear(ctx context.Context) error {
	if err := s.source.checkWritable(); err != nil {
		return err
	}
	s.cached.Store(nil)
	err := s.store.Delete(ctx, s.cfg.Profile, secrets.Any)
	if errors.Is(err, secrets.ErrNotFound) {
		return s.loginRequired(notStored)
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
	return &LoginRequiredError{Profile: c.Profile, Server: c.Server, Reason: reason, Valid: c.Valid(0) && c.Refused == ""}
}
