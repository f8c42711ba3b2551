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
	// maxClients bounds the clients of which something is known. That of whom nothing
	// was heard for the longest time is forgotten first.
	maxClients = 256
	// maxInitializeKept bounds what is kept of one: its initialize, and the name of its session.
	maxInitializeKept = 64 << 10
)

// client is a client of a proxy over HTTP.
type client struct {
	*user
	id         string  // of its session; "": it has none
	initialize message // its initialize
	close      context.CancelFunc

	connecting sync.Mutex // one beginning of a session at the server at a time

	mu          sync.Mutex // guards what follows
	initialized bool       // the server has heard of it
	upstream    string     // its session at the server; "": none
	version     string     // of the protocol, if the session began here
	streams     []*stream  // on which it hears, the best first
}

// newClient returns a client that has said hello in a session.
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

// sessionlessClient returns a client of which nothing is known but one request. What it was
// told of a sign-in is remembered by the name that it may give.
func (t *signInTransport) sessionlessClient(req *http.Request, m message) *client {
	c := t.newClient("", message{})
	c.requests = t.clients.sessionlessRequests(clientInfoOf(m).Info.Name)
	context.AfterFunc(req.Context(), c.close)
	return c
}

// isLocalSession reports whether the session began here.
func (c *client) isLocalSession() bool { return strings.HasPrefix(c.id, localPrefix) }

// initializePending reports whether the server has not heard yet of a session that began here.
func (c *client) initializePending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isLocalSession() && !c.initialized
}

// sessionStarted notes the session at the server.
func (c *client) sessionStarted(upstream, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.initialized, c.upstream, c.version = true, upstream, version
}

// setHeaders sets the headers of a session that began here.
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

// addStream notes a stream on which the client hears what it is told, until gone is called.
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

// notifyStreams tells the client what belongs to no call, where there is a stream for that.
func (c *client) notifyStreams(text []byte) bool {
	c.mu.Lock()
	streams := slices.Clone(c.streams)
	c.mu.Unlock()
	return slices.ContainsFunc(streams, func(s *stream) bool { return s.sendEvent(text) })
}

// clients are those that the proxy knows.
type clients struct {
	mu          sync.Mutex                 // guards what follows
	list        []*client                  // with a session; the one last heard of is the last
	sessionless map[string]*clientRequests // without, by name
}

// sessionlessRequests returns what the clients of a name that have no session were asked.
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

// find returns the client of a session; nil: it is not known.
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

// add adds a client, in the place of another with the same session.
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

// closeIf ends a client if it is to go.
func (c *client) closeIf(goes bool) bool {
	if goes {
		c.close()
	}
	return goes
}
