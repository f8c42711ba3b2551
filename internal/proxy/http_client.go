package proxy

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// maxClients is the maximum number of known clients. The one that has been silent the
	// longest is forgotten first.
	maxClients = 256
	// maxInitializeKept limits the size of a client's initialize, and of the ID of its
	// session.
	maxInitializeKept = 64 << 10
)

// client is a client of a proxy over HTTP.
type client struct {
	*user
	id         string  // of its session; "": it has none
	initialize message // its initialize
	close      context.CancelFunc

	connecting sync.Mutex // one session at the server is started at a time

	mu          sync.Mutex // guards the fields below
	initialized bool       // the server answered initialize
	upstream    string     // its session at the server; "": none
	version     string     // of the protocol, if this proxy started the session
	streams     []*stream  // for notifications, the best first
}

// newClient returns a client that sent initialize in a session.
func (t *signInTransport) newClient(id string, initialize message) *client {
	initialize.text = slices.Clone(initialize.text)
	closing, end := context.WithCancel(t.lifetime)
	c := &client{id: id, initialize: initialize, close: end}
	c.user = &user{
		Upstream: t.Upstream, lifetime: t.lifetime, closing: closing, work: &t.work,
		initialize: func() message { return c.initialize }, notify: c.notifyStreams, requests: &clientRequests{},
	}
	return c
}

// sessionlessClient returns a client that is known by one request only. What it was shown
// of a sign-in is recorded under the name that it sends.
func (t *signInTransport) sessionlessClient(req *http.Request, m message) *client {
	c := t.newClient("", message{})
	c.requests = t.clients.sessionlessRequests(clientInfoOf(m).Info.Name)
	context.AfterFunc(req.Context(), c.close)
	return c
}

// isLocalSession reports whether this proxy started the session.
func (c *client) isLocalSession() bool { return strings.HasPrefix(c.id, localPrefix) }

// initializePending reports whether the server has not yet answered the initialize of a
// session that this proxy started.
func (c *client) initializePending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isLocalSession() && !c.initialized
}

// sessionStarted records the session at the server.
func (c *client) sessionStarted(upstream, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.initialized, c.upstream, c.version = true, upstream, version
}

// setHeaders sets the headers of a session that this proxy started.
func (c *client) setHeaders(h http.Header) {
	if !c.isLocalSession() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h.Del(mcpwire.HeaderSession)
	if c.upstream != "" {
		h.Set(mcpwire.HeaderSession, c.upstream)
	}
	if c.version != "" {
		h.Set(mcpwire.HeaderVersion, c.version)
	}
}

// addStream adds a stream for notifications to the client, until gone is called.
func (c *client) addStream(s *stream, first bool) (gone func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := len(c.streams)
	if first {
		at = 0
	}
	c.streams = slices.Insert(c.streams, at, s)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.streams = slices.DeleteFunc(c.streams, func(other *stream) bool { return other == s })
	}
}

// notifyStreams sends the client a notification, if it has a stream for that.
func (c *client) notifyStreams(text []byte) bool {
	c.mu.Lock()
	streams := slices.Clone(c.streams)
	c.mu.Unlock()
	return slices.ContainsFunc(streams, func(s *stream) bool { return s.sendEvent(text) })
}

// clients are the clients that the proxy knows.
type clients struct {
	mu          sync.Mutex                 // guards the fields below
	list        []*client                  // with a session; the most recently active is the last
	sessionless map[string]*clientRequests // without a session, by name
}

// sessionlessRequests returns the requests to the clients of a name that have no session.
func (all *clients) sessionlessRequests(name string) *clientRequests {
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(name) > maxNameLength {
		name = ""
	}
	if all.sessionless[name] == nil {
		if all.sessionless == nil || len(all.sessionless) >= maxClients {
			all.sessionless = map[string]*clientRequests{}
		}
		all.sessionless[name] = &clientRequests{}
	}
	return all.sessionless[name]
}

// find returns the client of a session; nil if it is not known.
func (all *clients) find(id string) *client {
	all.mu.Lock()
	defer all.mu.Unlock()
	i := slices.IndexFunc(all.list, func(c *client) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	c := all.list[i]
	all.list = append(slices.Delete(all.list, i, i+1), c)
	return c
}

// add adds a client, in place of another with the same session.
func (all *clients) add(c *client) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(other *client) bool { return other.closeIf(other.id == c.id) })
	if len(all.list) >= maxClients {
		all.list[0].close()
		all.list = slices.Delete(all.list, 0, 1)
	}
	all.list = append(all.list, c)
}

// remove forgets a client.
func (all *clients) remove(c *client) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(other *client) bool { return other.closeIf(other == c) })
}

// closeIf closes a client if a condition holds, and returns the condition.
func (c *client) closeIf(goes bool) bool {
	if goes {
		c.close()
	}
	return goes
}
