package mcplogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// A login registers a client before it prompts. If nobody approves, the next
// login of that profile reuses the client, so that attempts do not accumulate
// registrations at the server. These clients are stored in a separate record: a
// login that was not completed has no credential and is not listed.

// pendingVersion is the newest format of the record.
const pendingVersion = 1

const (
	// pendingLifetime is how long a pending client is kept, maxPending how many
	// are.
	pendingLifetime = 30 * 24 * time.Hour
	maxPending      = 64
	// pendingTimeout limits an update of the record, which may need retries
	// because other processes update it too.
	pendingTimeout = 10 * time.Second
)

// registrations is the record of pending clients.
type registrations struct {
	Version int            `json:"version"`
	Pending []registration `json:"pending"`
}

// registration is a client whose login was not completed.
type registration struct {
	Profile string    `json:"profile"`
	Issuer  string    `json:"issuer"`
	App     oauth.App `json:"client"`
	Asked   []string  `json:"scopes_asked,omitempty"`
	At      time.Time `json:"registered_at"`
}

// isFor reports whether the registration is for c's profile and issuer.
func (r registration) isFor(c Credential) bool {
	return r.Profile == c.Profile && r.Issuer == c.Issuer.Issuer
}

// pending returns the client of an earlier login that was not completed; zero
// if none exists or the record cannot be read.
func (s *Session) pending(ctx context.Context, c Credential) registration {
	all, _, err := s.registrations(ctx)
	if err != nil {
		s.log.Info("cannot read earlier registrations", "error", err)
	}
	for _, r := range all {
		if r.isFor(c) {
			return r
		}
	}
	return registration{}
}

// savePending stores a new client until its login is completed. It is best
// effort: if it fails, the next login registers another client.
func (s *Session) savePending(ctx context.Context, c Credential, app oauth.App) {
	now := time.Now().UTC().Truncate(time.Second)
	s.replacePending(ctx, c, registration{Profile: c.Profile, Issuer: c.Issuer.Issuer, App: app, Asked: c.Asked, At: now})
}

// dropPending removes the client once its login is completed and the credential
// has it. It is best effort: otherwise the client expires after pendingLifetime.
func (s *Session) dropPending(ctx context.Context, c Credential) { s.replacePending(ctx, c) }

// replacePending replaces the pending registrations of c's profile and issuer.
func (s *Session) replacePending(ctx context.Context, c Credential, with ...registration) {
	ctx, cancel := context.WithTimeout(ctx, pendingTimeout)
	defer cancel()
	err := s.tryReplacePending(ctx, c, with)
	for backoff := minBackoff; errors.Is(err, secrets.ErrConflict) && sleep(ctx, backoff) == nil; backoff = min(2*backoff, maxBackoff) {
		err = s.tryReplacePending(ctx, c, with)
	}
	if err != nil {
		s.log.Info("cannot change the registrations of incomplete sign-ins", "error", err)
	}
}

func (s *Session) tryReplacePending(ctx context.Context, c Credential, with []registration) error {
	all, v, err := s.registrations(ctx)
	if errors.Is(err, secrets.ErrUndecryptable) { // the key was lost
		v, err = secrets.Absent, s.store.Delete(ctx, secrets.Internal, secrets.Any)
	}
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(r registration) bool { return r.isFor(c) })
	if len(with) == 0 && len(kept) == len(all) {
		return nil
	}
	kept = append(kept, with...)
	if len(kept) == 0 {
		return s.store.Delete(ctx, secrets.Internal, v)
	}
	data, err := json.Marshal(registrations{Version: pendingVersion, Pending: kept[max(0, len(kept)-maxPending):]})
	if err != nil {
		return err
	}
	_, err = s.store.Put(ctx, secrets.Internal, data, v)
	return err
}

// registrations reads the record; one that does not exist is empty.
func (s *Session) registrations(ctx context.Context) ([]registration, secrets.Version, error) {
	data, v, err := s.store.Get(ctx, secrets.Internal)
	if errors.Is(err, secrets.ErrNotFound) {
		return nil, secrets.Absent, nil
	}
	if err != nil {
		return nil, v, err
	}
	var record registrations
	if err := json.Unmarshal(data, &record); err != nil {
		return nil, v, fmt.Errorf("%w: it is not a record of registrations", secrets.ErrUndecryptable)
	}
	if record.Version > pendingVersion {
		return nil, v, fmt.Errorf("%w (format %d, this version supports %d)", ErrNewerRecord, record.Version, pendingVersion)
	}
	return slices.DeleteFunc(record.Pending, func(r registration) bool { return time.Since(r.At) > pendingLifetime || !isUsable(r.App) }), v, nil
}
