package mcplogin

import "time"

// cached is a credential in memory. The times are computed once, because a
// program asks for the token before each request.
type cached struct {
	Credential
	from, until time.Time // freshFor(MinTTL) is true between them; zero: no limit
}

// cache keeps a credential in memory.
func (s *Session) cache(c Credential) { s.cached.Store(newCached(c, s.cfg.MinTTL)) }

func newCached(c Credential, minTTL time.Duration) *cached {
	m := &cached{Credential: c}
	if c.Token.Expiry.IsZero() {
		return m
	}
	m.until = c.Token.Expiry.Add(-c.requiredTTL(minTTL))
	if c.Refused == "" {
		m.from = c.issuedAt().Add(-maxSkew)
	}
	return m
}

// fresh reports the same as freshFor(MinTTL), from the precomputed times.
func (m *cached) fresh(now time.Time) bool {
	return m.Token.Access != "" && (m.until.IsZero() || now.Before(m.until) && (m.from.IsZero() || now.After(m.from)))
}
