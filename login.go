package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// saveWait is how long a login waits for the lock before it saves; it is part
	// of exchangeTimeout.
	saveWait = 10 * time.Second
	// revokeTimeout limits the revocation of tokens that are not saved.
	revokeTimeout = 10 * time.Second
)

// Login discovers the server, registers a client, runs the first usable flow,
// and replaces the stored credential. It may wait for the user until ctx ends,
// without holding the lock. It tests the store before it prompts. On any error
// the stored credential is unchanged.
func (s *Session) Login(ctx context.Context, req LoginRequest) (Credential, error) {
	if err := s.source.checkWritable(); err != nil {
		return Credential{}, err
	}
	l := &login{Session: s, req: req}
	return l.do(ctx)
}

// login is one call of Login.
type login struct {
	*Session
	req LoginRequest
}

func (s *login) do(ctx context.Context) (Credential, error) {
	if err := s.probe(ctx); err != nil {
		return Credential{}, err
	}
	old, err := s.stored(ctx)
	if err != nil {
		return Credential{}, err
	}
	c, choices, err := s.plan(ctx, old)
	if err != nil {
		return Credential{}, err
	}
	var skipped []error
	for _, choice := range choices {
		done, err := s.run(ctx, c, choice, old)
		if !errors.Is(err, flows.ErrUnsupported) && !errors.Is(err, ErrRegistration) {
			return done, err
		}
		s.log.Info("the flow cannot be used", "flow", choice.Flow.Name(), "issuer", choice.Server.Issuer, "error", err)
		skipped = append(skipped, err)
		if s.req.Skipped != nil && len(skipped) < len(choices) {
			s.req.Skipped(choice, err)
		}
	}
	return Credential{}, errors.Join(skipped...)
}

// flows returns the flows that the login may run, best first.
func (s *login) flows() []flows.Flow {
	if s.req.Flows == nil {
		return s.cfg.Renewal.Flows
	}
	return s.req.Flows
}

// prober is a store that can test, before the user is prompted, whether it can
// save the result.
type prober interface{ Probe(context.Context) error }

func (s *login) probe(ctx context.Context) error {
	p, ok := s.store.(prober)
	if !ok {
		return nil
	}
	if err := p.Probe(ctx); err != nil {
		return fmt.Errorf("test the store before signing in: %w", err)
	}
	return nil
}

// stored returns the credential to be replaced; zero if none exists or if
// Replace ignores it. If the store fails, or a newer version wrote the record,
// the login fails before it prompts.
func (s *login) stored(ctx context.Context) (Credential, error) {
	c, _, err := s.read(ctx)
	_, moved := errors.AsType[*ServerChangedError](err)
	switch {
	case errors.Is(err, secrets.ErrNotFound):
		return Credential{}, nil
	case errors.Is(err, secrets.ErrNewer):
		return c, err
	case s.req.Replace && (err == nil || moved || errors.Is(err, secrets.ErrUndecryptable)):
		return Credential{}, nil
	}
	return c, err
}

// plan discovers the authorization servers and selects the flows. The returned
// credential lacks issuer, client and token.
func (s *login) plan(ctx context.Context, old Credential) (Credential, []flows.Choice, error) {
	c := Credential{Profile: s.cfg.Profile, Server: s.cfg.Server, Login: s.req.Options, CreatedAt: old.CreatedAt}
	if c.Server == "" {
		c.Server = old.Server
	}
	if c.Server == "" {
		return c, nil, s.loginRequired("no credential is stored, and no server URL is set")
	}
	if c.Login.IsZero() {
		c.Login = old.Login
	}
	d, err := c.Login.discover(ctx, s.cfg.HTTP(c.Server), c.Server)
	if err != nil {
		return c, nil, err
	}
	servers, err := c.Login.servers(d)
	if err == nil {
		servers, err = s.cfg.Trust.accepted(servers)
	}
	if err != nil {
		return c, nil, err
	}
	c.Resource = d.Resource.URL
	if c.Login.NoResource {
		c.Resource = ""
	}
	c.Login.DPoP = c.Login.DPoP || d.Resource.DPoP
	c.Asked = union(c.Login.scopes(d.Resource), s.req.MoreScopes)
	choices, err := flows.Select(servers, s.flowsNamed(c.Login.Flows)...)
	return c, choices, err
}

// flowsNamed returns the flows with the given names, in that order. An older
// login may name flows that are not available here. Without a match it returns
// all interactive flows.
func (s *login) flowsNamed(names []string) []flows.Flow {
	var chosen []flows.Flow
	for _, name := range names {
		for _, f := range s.flows() {
			if f.Name() == name {
				chosen = append(chosen, f)
			}
		}
	}
	if len(chosen) > 0 {
		return chosen
	}
	for _, f := range s.flows() {
		if _, nonInteractive := f.(flows.NonInteractive); !nonInteractive {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// run signs in by one flow at one server and stores the result.
func (s *login) run(ctx context.Context, c Credential, choice flows.Choice, old Credential) (Credential, error) {
	if err := s.sameIssuer(old, choice.Server); err != nil {
		return Credential{}, err
	}
	c.Issuer = choice.Server
	c.Flow = choice.Flow.Name()
	c.Asked = s.scopesAt(c, old)
	if err := s.checkNamedIssuer(c, choice.Flow, old); err != nil {
		return Credential{}, err
	}
	if s.req.Chosen != nil {
		s.req.Chosen(choice)
	}
	recorded := s.req.Options.IsZero() || s.cfg.Server == "" // the options or the server come from the record
	if _, alone := choice.Flow.(flows.NonInteractive); alone && recorded {
		if err := s.cfg.Trust.permit(ctx, c); err != nil {
			return Credential{}, err
		}
	}
	s.log.Info("logging in", "flow", c.Flow, "issuer", c.Issuer.Issuer, "scopes", c.Asked)

	token, app, err := s.authorize(ctx, c, choice.Flow, &old)
	if err != nil {
		return Credential{}, fmt.Errorf("sign in by %s at %s: %w", c.Flow, c.Issuer.Issuer, err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	c.App, c.LoggedInAt = app, now
	if c.CreatedAt.IsZero() {
		c.CreatedAt = now
	}
	if c.Token, err = c.Login.tokenToKeep(token, oauth.Token{}); err == nil {
		err = s.checkAccepted(c)
	}
	if err != nil {
		if rerr := s.discard(ctx, c); rerr != nil {
			s.log.Warn("the rejected token could not be revoked", "error", rerr)
		}
		return Credential{}, fmt.Errorf("sign in by %s at %s: %w", c.Flow, c.Issuer.Issuer, err)
	}
	if err := s.save(ctx, c); err != nil {
		return Credential{}, err
	}
	if missing := c.Missing(); len(missing) > 0 {
		s.log.Info("the server granted fewer scopes than requested", "missing", missing) // the caller informs the user
	}
	return c, nil
}

// checkAccepted validates a new credential and asks the caller to accept it.
func (s *login) checkAccepted(c Credential) error {
	if err := c.Validate(); err != nil || s.req.Accept == nil {
		return err
	}
	return s.req.Accept(c)
}

// discard revokes the tokens of a login that is not saved.
func (s *Session) discard(ctx context.Context, c Credential) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	return s.client(c).RevokeToken(ctx, c.Token)
}

// authorize runs the flow with a registered client. A stored registration that
// the server has deleted, or that has other redirect URIs or scopes, is
// replaced once.
func (s *login) authorize(ctx context.Context, c Credential, f flows.Flow, old *Credential) (oauth.Token, oauth.App, error) {
	app, reused, err := s.register(ctx, c, f, old)
	if err != nil {
		return oauth.Token{}, app, err
	}
	if err := c.Login.bind(&app); err != nil {
		return oauth.Token{}, app, err
	}
	c.App = app
	if err := c.Validate(); err != nil { // else the stored record would be unreadable
		return oauth.Token{}, app, err
	}
	client := s.client(c)
	token, err := f.Run(ctx, c.request(client))
	if scopes := s.fewerScopes(c); oauth.IsCode(err, oauth.CodeInvalidScope) && scopes != nil {
		s.log.Info("the server rejected a scope, requesting the others", "scopes", scopes)
		c.Asked = scopes
		token, err = f.Run(ctx, c.request(client))
	}
	app = client.LearnedApp()
	if reused && (errors.Is(err, flows.ErrClient) || oauth.IsCode(err, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient, oauth.CodeInvalidScope)) {
		s.log.Info("the stored registration no longer works", "client_id", app.ID, "error", err)
		return s.authorize(ctx, c, f, nil)
	}
	if reused && browserNeverReturned(ctx, f, err) {
		s.invalidateClient(ctx, c)
	}
	return token, app, err
}

// browserNeverReturned reports whether the flow ended without an authorization response: a
// server that has deleted the client shows an error in the browser and does not redirect
// (supabase/mcp#355).
func browserNeverReturned(ctx context.Context, f flows.Flow, err error) bool {
	return f.Name() != "device" && (errors.Is(err, flows.ErrExpired) || err != nil && ctx.Err() != nil)
}

// invalidateClient makes the next login register a new client.
func (s *login) invalidateClient(ctx context.Context, c Credential) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	now, v, err := s.read(ctx)
	if err == nil && now.App.ID == c.App.ID {
		now.ClientRefused = true
		s.saveFailure(ctx, now, v)
	}
	s.dropPending(ctx, c)
}

// request returns the flow's request for this credential.
func (c Credential) request(client *oauth.Client) flows.Request {
	return flows.Request{Client: client, Server: c.Server, Resource: c.Resource, Scopes: c.Asked, Params: c.Login.Params, Inputs: c.Login.Inputs}
}

// save replaces the stored record with the credential of a new login. It takes
// the lock only now, so that a refresh in flight ends first. If the lock stays
// held it continues without: an approved sign-in must not be lost because
// another process hangs. That process finds the new record when it writes
// (ErrConflict).
func (s *login) save(ctx context.Context, c Credential) error {
	saveCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	defer s.lockFor(saveCtx, saveWait)()
	err := s.put(saveCtx, c)
	if err != nil {
		outcome := "its tokens were revoked"
		if rerr := s.discard(ctx, c); rerr != nil {
			outcome = fmt.Sprintf("its tokens could not be revoked and remain valid until they expire (%v)", rerr)
		}
		return fmt.Errorf("the sign-in was approved, but the credential was not saved, and %s: %w", outcome, err)
	}
	s.cache(c)
	s.dropPending(saveCtx, c)
	return nil
}

// lockFor takes the profile's lock if possible within wait, else it continues
// without.
func (s *Session) lockFor(ctx context.Context, wait time.Duration) (unlock func()) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	unlock, err := s.store.Lock(ctx, s.cfg.Profile)
	if err != nil {
		s.log.Warn("continuing without a lock on the credential", "profile", s.cfg.Profile, "error", err)
		return func() {}
	}
	return unlock
}

// put writes a new credential and retries while the store's error is temporary.
// It replaces an unreadable record only if Replace is set.
func (s *login) put(ctx context.Context, c Credential) error {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		_, err := s.write(ctx, c, secrets.Any)
		if s.req.Replace && errors.Is(err, secrets.ErrUndecryptable) {
			if err = s.store.Delete(ctx, c.Profile, secrets.Any); err == nil {
				_, err = s.write(ctx, c, secrets.Absent)
			}
		}
		if !errors.Is(err, secrets.ErrTemporary) || sleep(ctx, backoff) != nil {
			return err
		}
	}
}
