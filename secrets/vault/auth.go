package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets"
)

// AppRole is Vault's AppRole auth method. It must not be copied after first
// use.
type AppRole struct {
	Mount  string // path of the auth method; "": "approle"
	RoleID string
	// SecretID returns the secret ID, or with Wrapped the token that wraps it;
	// nil: the role requires none.
	SecretID func(context.Context) (string, error)
	// Wrapped means that SecretID returns a response-wrapping token. It is
	// unwrapped once, and the secret ID is kept in memory for later logins. If
	// the token was already used, someone else has the secret ID.
	Wrapped bool

	mu        sync.Mutex
	unwrapped string
}

var _ api.AuthMethod = (*AppRole)(nil)

// Login implements [api.AuthMethod].
func (a *AppRole) Login(ctx context.Context, client *api.Client) (*api.Secret, error) {
	body := map[string]any{"role_id": a.RoleID}
	if a.SecretID != nil {
		id, err := a.secretID(ctx, client)
		if err != nil {
			return nil, err
		}
		body["secret_id"] = id
	}
	return post(ctx, client, a.Mount, "approle", body)
}

func (a *AppRole) secretID(ctx context.Context, client *api.Client) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unwrapped != "" {
		return a.unwrapped, nil
	}
	id, err := a.SecretID(ctx)
	if err != nil || !a.Wrapped {
		return id, inputError("secret id", err)
	}
	secret, err := client.Logical().UnwrapWithContext(ctx, id)
	if status(err) == 400 || status(err) == 403 {
		return "", fmt.Errorf("%w: the wrapping token has expired or was already used; if you did not use it, "+
			"someone else has the secret ID: have it revoked", secrets.ErrUnavailable)
	}
	if err != nil {
		return "", err
	}
	if secret != nil {
		a.unwrapped, _ = secret.Data["secret_id"].(string)
	}
	if a.unwrapped == "" {
		return "", fmt.Errorf("%w: the wrapping token wraps no secret id", secrets.ErrUnavailable)
	}
	return a.unwrapped, nil
}

// JWT is Vault's JWT auth method: with a CI job's ID token, or with Mount
// "kubernetes" the token of a service account.
type JWT struct {
	Mount string // path of the auth method; "": "jwt"
	Role  string // "": the method's default role
	Token func(context.Context) (string, error)
}

var _ api.AuthMethod = (*JWT)(nil)

// Login implements [api.AuthMethod].
func (j *JWT) Login(ctx context.Context, client *api.Client) (*api.Secret, error) {
	token, err := j.Token(ctx)
	if err != nil {
		return nil, inputError("Vault login token", err)
	}
	return post(ctx, client, j.Mount, "jwt", map[string]any{"role": j.Role, "jwt": token})
}

// inputError wraps an error of the caller's functions, which occurs before any
// request to Vault.
func inputError(what string, err error) error {
	if err == nil || errors.Is(err, secrets.ErrTemporary) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", secrets.ErrUnavailable, what, err)
}

func post(ctx context.Context, client *api.Client, mount, otherwise string, body map[string]any) (*api.Secret, error) {
	mount = strings.Trim(mount, "/")
	if mount == "" {
		mount = otherwise
	}
	return client.Logical().WriteWithContext(ctx, "auth/"+mount+"/login", body)
}

// minLoginInterval limits logins, because with a policy that denies access each
// request would log in again.
const minLoginInterval = 5 * time.Second

// lookupRetryDelay is the retry delay if the token's TTL cannot be read.
const lookupRetryDelay = 10 * time.Second

// login holds the Vault token and the method to get a new one.
type login struct {
	client *api.Client
	method api.AuthMethod // nil: use only the client's token

	mu  sync.Mutex
	at  time.Time     // time of the last login; zero: none yet
	ttl time.Duration // of its token; 0: it does not expire
}

// ensure returns a valid token, logging in if needed.
func (l *login) ensure(ctx context.Context) (token string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.method != nil && (l.at.IsZero() || l.ttl > 0 && time.Since(l.at) >= l.ttl) {
		err = l.run(ctx)
	} else if l.client.Token() == "" {
		err = fmt.Errorf("%w: no token; set VAULT_TOKEN, run \"vault login\", or set MCP_LOGIN_VAULT_AUTH", ErrNoToken)
	}
	return l.client.Token(), err
}

// relogin logs in again after Vault rejected a token, if that can help. It
// returns true if the request should be retried.
func (l *login) relogin(ctx context.Context, refused string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.method == nil:
		return false
	case l.client.Token() != refused:
		return true // another goroutine was faster
	case time.Since(l.at) < minLoginInterval:
		return false
	}
	return l.run(ctx) == nil
}

// run logs in. The caller holds mu.
func (l *login) run(ctx context.Context) error {
	old := l.client.Token()
	l.client.ClearToken() // else Vault might reject the old token instead of the login
	secret, err := l.method.Login(ctx, l.client)
	if err == nil && (secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "") {
		err = fmt.Errorf("%w: vault answered without a token", secrets.ErrUnavailable)
	}
	if err != nil {
		l.client.SetToken(old)
		return err
	}
	l.client.SetToken(secret.Auth.ClientToken)
	l.at, l.ttl = time.Now(), time.Duration(secret.Auth.LeaseDuration)*time.Second
	return nil
}

// KeepAlive renews the token until ctx ends, for programs that run longer than
// its TTL. It returns nil when ctx ends or the token needs no renewal, and an
// error when the token expires and can neither be renewed nor replaced by Auth.
func (s *Store) KeepAlive(ctx context.Context) error {
	ttl, err := s.conn.tokenTTL(ctx)
	for errors.Is(err, secrets.ErrTemporary) && sleep(ctx, lookupRetryDelay) {
		ttl, err = s.conn.tokenTTL(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	if ttl == 0 {
		return nil
	}
	for ends := time.Now().Add(ttl); ; {
		if !sleep(ctx, max(time.Until(ends)*2/3, time.Second)) {
			return nil
		}
		later, err := s.conn.login.renewToken(ctx, ends)
		switch {
		case err == nil:
			ends = later
		case ctx.Err() != nil:
			return nil
		case time.Now().After(ends):
			return s.conn.explain(ctx, "renew the token", "", err)
		}
	}
}

// sleep waits for d. It returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// tokenTTL returns the remaining lifetime of the token; 0 if it does not expire.
func (w *conn) tokenTTL(ctx context.Context) (ttl time.Duration, err error) {
	err = w.do(ctx, "look up the token", "", func(ctx context.Context) error {
		self, err := w.client.Auth().Token().LookupSelfWithContext(ctx)
		if err == nil {
			ttl, err = self.TokenTTL()
		}
		return err
	})
	return ttl, err
}

// renewToken renews the token that expires at ends and returns the new expiry.
// If Vault denies the renewal or the token has reached its maximum TTL, it logs
// in again.
func (l *login) renewToken(ctx context.Context, ends time.Time) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	secret, err := l.client.Auth().Token().RenewSelfWithContext(ctx, 0)
	if err == nil && secret.Auth != nil {
		l.at, l.ttl = time.Now(), time.Duration(secret.Auth.LeaseDuration)*time.Second
		if later := l.at.Add(l.ttl); later.After(ends.Add(time.Second)) {
			return later, nil
		}
		err = errMaxLifetime
	}
	if l.method == nil {
		return ends, err
	}
	if err := l.run(ctx); err != nil {
		return ends, err
	}
	return l.at.Add(l.ttl), nil
}

// errMaxLifetime: Vault renewed the token without extending its expiry.
var errMaxLifetime = fmt.Errorf("%w: the token has reached its maximum lifetime", secrets.ErrUnavailable)
