package relay

import (
	"context"
	"sync"
	"time"
)

// defaultSessions is the maximum number of sessions in memory, 2 to 10 kB each.
const defaultSessions = 20_000

// Memory keeps the sessions of one replica. Its zero value works.
type Memory struct {
	// Max is the maximum number of sessions; 0 means 20,000.
	Max int

	mu       sync.Mutex // guards the rest
	sessions map[string]*Session
	keys     map[string]string // to IDs
	swept    time.Time

	watchers watchers
}

var _ Sessions = (*Memory)(nil)

// sweepEvery is the interval at which expired sessions are removed.
const sweepEvery = 10 * time.Second

// Add implements [Sessions].
func (m *Memory) Add(_ context.Context, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(time.Now())
	limit := m.Max
	if limit == 0 {
		limit = defaultSessions
	}
	if len(m.sessions) >= limit {
		return ErrFull
	}
	for _, k := range s.keys() {
		if _, taken := m.keys[k.String()]; taken {
			return errTaken
		}
	}
	if m.sessions == nil {
		m.sessions, m.keys = map[string]*Session{}, map[string]string{}
	}
	m.sessions[s.ID] = &s
	for _, k := range s.keys() {
		m.keys[k.String()] = s.ID
	}
	return nil
}

// sweep removes expired sessions.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	for id, s := range m.sessions {
		if now.Before(s.Expiry) {
			continue
		}
		for _, k := range s.keys() {
			delete(m.keys, k.String())
		}
		delete(m.sessions, id)
	}
}

// Find implements [Sessions].
func (m *Memory) Find(_ context.Context, key Key) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[m.keys[key.String()]]
	if s == nil || !time.Now().Before(s.Expiry) {
		return Session{}, ErrEnded
	}
	return *s, nil
}

// Change implements [Sessions].
func (m *Memory) Change(_ context.Context, id string, change func(*Session) error) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[id]
	if s == nil || !time.Now().Before(s.Expiry) {
		return Session{}, ErrEnded
	}
	changed := *s
	if err := change(&changed); err != nil {
		return *s, err
	}
	*s = changed
	m.watchers.wake(id)
	return changed, nil
}

// Uncollected returns the number of sessions with a response that the client has
// not received yet.
func (m *Memory) Uncollected() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		if s.Query != "" && s.Outcome == "" && time.Now().Before(s.Expiry) {
			n++
		}
	}
	return n
}

// Watch implements [Sessions].
func (m *Memory) Watch(id string) (<-chan struct{}, func()) { return m.watchers.add(id) }

// Ping implements [Sessions].
func (m *Memory) Ping(context.Context) error { return nil }

// watchers are the long polls of this replica that wait for changes of
// sessions.
type watchers struct {
	mu sync.Mutex
	by map[string]map[chan struct{}]bool
}

func (w *watchers) add(id string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[string]map[chan struct{}]bool{}
	}
	if w.by[id] == nil {
		w.by[id] = map[chan struct{}]bool{}
	}
	w.by[id][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.by[id], c)
		if len(w.by[id]) == 0 {
			delete(w.by, id)
		}
	}
}

func (w *watchers) wake(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.by[id] {
		select {
		case c <- struct{}{}:
		default: // already notified
		}
	}
}
