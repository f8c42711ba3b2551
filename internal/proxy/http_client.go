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
	// maxKept bounds what is kept of one: its initialize, and the name of its session.
	maxKept = 64 << 10
)

// client is a client of a proxy over HTTP.
type client struct {
	*user
	id   string  // of its session; "": it has none
	said message // its initialize
	end  context.CancelFunc

	connecting sync.Mutex // one beginning of a session at the server at a time

	mu       sync.Mutex // guards what follows
	begun    bool       // the server has heard of it
	upstream string     // its session at the server; "": none
	version  string     // of the protocol, if the session began here
	streams  []*stream  // on which it hears, the best first
}

// newClient returns a client that has said hello in a session.
func (t *signInTransport) newClient(id string, hello message) *client {
	hello.text = slices.Clone(hello.text)
	closing, end := context.WithCancel(t.lasting)
	c := &client{id: id, said: hello, end: end}
	c.user = &user{
		Upstream: t.Upstream, lasting: t.lasting, closing: closing, work: &t.work,
		hello: func() message { return c.said }, notify: c.notifyOn, asked: &asked{},
	}
	return c
}

// stranger returns a client of which nothing is known but one request. What it was
// told of a sign-in is remembered by the name that it may give.
func (t *signInTransport) stranger(req *http.Request, m message) *client {
	c := t.newClient("", message{})
	c.asked = t.clients.stranger(saysOfItself(m).Info.Name)
	context.AfterFunc(req.Context(), c.end)
	return c
}

// isOurs reports whether the session began here.
func (c *client) isOurs() bool { return strings.HasPrefix(c.id, ownID) }

// owes reports whether the server has not heard yet of a session that began here.
func (c *client) owes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isOurs() && !c.begun
}

// begin notes the session at the server.
func (c *client) begin(upstream, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun, c.upstream, c.version = true, upstream, version
}

// sign sets the headers of a session that began here.
func (c *client) sign(h http.Header) {
	if !c.isOurs() {
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

// hears notes a stream on which the client hears what it is told, until gone is called.
func (c *client) hears(s *stream, first bool) (gone func()) {
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

// notifyOn tells the client what belongs to no call, where there is a stream for that.
func (c *client) notifyOn(text []byte) bool {
	c.mu.Lock()
	streams := slices.Clone(c.streams)
	c.mu.Unlock()
	return slices.ContainsFunc(streams, func(s *stream) bool { return s.event(text) })
}

// clients are those that the proxy knows.
type clients struct {
	mu        sync.Mutex        // guards what follows
	list      []*client         // with a session; the one last heard of is the last
	strangers map[string]*asked // without, by name
}

// stranger returns what the clients of a name that have no session were asked.
func (all *clients) stranger(name string) *asked {
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(name) > maxName {
		name = ""
	}
	if all.strangers[name] == nil {
		if all.strangers == nil || len(all.strangers) >= maxClients {
			all.strangers = map[string]*asked{}
		}
		all.strangers[name] = &asked{}
	}
	return all.strangers[name]
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
	all.list = slices.DeleteFunc(all.list, func(other *client) bool { return other.leaves(other.id == c.id) })
	if len(all.list) >= maxClients {
		all.list[0].end()
		all.list = slices.Delete(all.list, 0, 1)
	}
	all.list = append(all.list, c)
}

// drop forgets a client.
func (all *clients) drop(c *client) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(other *client) bool { return other.leaves(other == c) })
}

// leaves ends a client if it is to go.
func (c *client) leaves(goes bool) bool {
	if goes {
		c.end()
	}
	return goes
}
