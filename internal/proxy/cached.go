package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// cacheDelay is how long a client waits for the server before it is answered from the
	// cache. Some clients give up on a server that takes more than a second to start.
	cacheDelay = 800 * time.Millisecond
	// storePoll is how often a proxy without a sign-in checks whether another process has
	// signed in.
	storePoll = 2 * time.Second
	// latestVersion is the newest protocol version that has initialize.
	latestVersion = "2025-11-25"
)

// versions are the protocol versions that have initialize.
var versions = []string{"2024-11-05", "2025-03-26", "2025-06-18", latestVersion}

// isCacheable reports whether the response to a request is cached, for when the server
// cannot be asked or is slow.
func (m message) isCacheable() bool {
	return m.Method == methodInitialize || m.Method == methodDiscover || lists[m.Method] != "" && m.Params.Cursor == ""
}

// answer answers a request: through the server if the user is signed in, otherwise from
// here as far as possible.
func (b *bridge) answer(ctx context.Context, c *call, before order) error {
	switch {
	case b.SignIn == nil:
		return b.sendInOrder(ctx, c, before)
	case c.isCacheable():
		return b.answerCacheable(ctx, c, before)
	case c.Method == methodCallTool && b.SignIn.isTool(c.Params.Name):
		b.user.callSignIn(ctx, c.message, b.responder(c))
		return nil
	}
	err := b.sendInOrder(ctx, c, before)
	if !b.SignIn.isRequiredAfter(ctx, b.Session, err) {
		return err
	}
	b.user.watchSignIn()
	switch c.Method {
	case methodCallTool:
		if b.user.signInForCall(ctx, c.message, b.responder(c)) {
			return b.sendInOrder(ctx, c, before)
		}
		return nil
	case methodPing:
		b.responder(c).reply(c.message, struct{}{})
		return nil
	}
	return b.SignIn.requiredError(err)
}

// requiredError says that a request requires a sign-in, and how to start one.
func (s *SignIn) requiredError(err error) error {
	return fmt.Errorf("%w; call the tool %s", err, s.toolName())
}

// responder returns where the messages of a call go.
func (b *bridge) responder(c *call) responder {
	return responder{b.notifyClient, func(text []byte) {
		b.writeText(text)
		c.answered.set()
	}}
}

// notifyClient sends the client a notification of this program. Without sessions it sends
// none: there, the server notifies those who subscribed.
func (b *bridge) notifyClient(text []byte) bool {
	if !b.conn.isStateless() {
		b.writeText(text)
	}
	return true
}

// answerCacheable forwards a request whose last response is cached.
func (b *bridge) answerCacheable(ctx context.Context, c *call, before order) error {
	if c.Method == methodInitialize {
		b.conn.setInitialize(c.message)
	}
	limit := cacheDelay
	if b.slow.Load() {
		limit = 0 // the first request used up the time
	}
	timer := time.AfterFunc(limit, func() { b.answerFromCache(c, false) })
	defer timer.Stop()
	err := b.sendInOrder(ctx, c, before)
	if !b.SignIn.isRequiredAfter(ctx, b.Session, err) {
		b.user.noteListed(c.message)
		if c.Method == methodInitialize || c.Method == methodDiscover && err == nil {
			b.slow.Store(false)
		}
		return err
	}
	b.user.watchSignIn()
	b.answerFromCache(c, true)
	return nil
}

// answerFromCache answers a request from the cache, unless it has been answered.
func (b *bridge) answerFromCache(c *call, signedOut bool) {
	c.cacheMu.Lock()
	defer c.cacheMu.Unlock()
	if !c.answered.set() {
		return
	}
	c.fromCache = true
	if lists[c.Method] == "" {
		b.slow.Store(!signedOut)
	}
	b.writeText(b.SignIn.cachedResponse(c.message, b.Server, signedOut))
}

// cachedResponse returns the response to a request from the cache.
func (s *SignIn) cachedResponse(m message, server string, signedOut bool) []byte {
	switch m.Method {
	case methodInitialize:
		return mcpwire.Result(m.ID, s.initializeResponse(m, server, signedOut))
	case methodDiscover:
		// Clients fall back to initialize.
		if found := s.discoverResult(); found != nil && !signedOut {
			return mcpwire.Result(m.ID, found)
		}
		return mcpwire.Failure(m.ID, mcpwire.CodeMethod, "Method not found: use initialize")
	}
	items := s.cachedList(m.Method)
	if items == nil {
		items = []json.RawMessage{}
	}
	if m.Method == methodListTools && signedOut {
		items = append([]json.RawMessage{s.tool(server)}, items...)
	}
	return reply(m, map[string]any{lists[m.Method]: items})
}

// cacheResponse caches a response. A client that was given an older list is notified that
// the list has changed.
func (b *bridge) cacheResponse(c *call, m message) {
	if b.SignIn == nil || m.Error != nil || !c.isCacheable() && lists[c.Method] == "" {
		return
	}
	changed := b.updateCache(c.message, m.text)
	c.cacheMu.Lock()
	defer c.cacheMu.Unlock()
	if changed && c.fromCache {
		b.writeText(listChanged(c.Method))
	}
}

// updateCache caches a response, and reports whether a list has changed.
func (u Upstream) updateCache(req message, text []byte) (changed bool) {
	changed, err := u.SignIn.cacheResponse(req, text)
	if err != nil {
		u.log().Warn("the server's lists are not cached", "error", err)
	}
	return changed
}

// reply returns the response to a request, in the form that the client's protocol version
// requires.
func reply(m message, result any) []byte {
	if m.Params.Meta.Version >= mcpwire.Stateless {
		result = addStatelessFields(result, lists[m.Method] != "")
	}
	return mcpwire.Result(m.ID, result)
}

// addStatelessFields adds the fields that results of the stateless protocol require.
func addStatelessFields(result any, isList bool) any {
	fields := map[string]any{"resultType": "complete"}
	if all, ok := result.(map[string]any); ok {
		maps.Copy(fields, all)
	}
	if isList {
		fields["ttlMs"], fields["cacheScope"] = 0, "private" // SEP-2549: the list will change soon
	}
	return fields
}

// ensureSession starts a session at the server if the client's session began while the
// server could not be reached.
func (b *bridge) ensureSession(ctx context.Context, m message) error {
	if m.Method == methodInitialize || m.Params.Meta.Version >= mcpwire.Stateless || !b.conn.initializePending() {
		return nil
	}
	return b.restartSession(ctx, "")
}

// listChanged returns the notification that a list has changed.
func listChanged(method string) []byte {
	kind := lists[method]
	if method == methodListTemplates {
		kind = lists[methodListResources]
	}
	return mcpwire.Request(nil, "notifications/"+kind+"/list_changed", nil)
}

// initializeResponse is the result of initialize from the cache.
func (s *SignIn) initializeResponse(m message, server string, signedOut bool) initializeResult {
	h := s.initializeResult()
	if h.Capabilities == nil {
		h.Capabilities = map[string]json.RawMessage{"prompts": nil, "resources": nil}
	}
	if tools := lists[methodListTools]; h.Capabilities[tools] == nil {
		h.Capabilities[tools] = nil // sign_in needs this capability
	}
	for _, name := range []string{"tools", "prompts", "resources"} {
		if value, ok := h.Capabilities[name]; ok {
			h.Capabilities[name] = withListChanged(value)
		}
	}
	if h.Server == nil {
		h.Server = json.RawMessage(`{"name":"mcp-login","version":"1"}`)
	}
	h.Version = negotiateVersion(m, h.Version)
	if signedOut {
		h.Instructions = s.instructions(server) + h.Instructions
	}
	return h
}

// withListChanged adds to a capability that its list may change.
func withListChanged(capability json.RawMessage) json.RawMessage {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(capability, &fields) != nil || fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields["listChanged"] = json.RawMessage("true")
	text, err := json.Marshal(fields)
	if err != nil {
		return json.RawMessage(`{"listChanged":true}`)
	}
	return text
}

// negotiateVersion returns the version that the server would choose: the client's, unless
// the server's is older.
func negotiateVersion(m message, server string) string {
	var params struct {
		Params struct {
			Version string `json:"protocolVersion"`
		} `json:"params"`
	}
	_ = json.Unmarshal(m.text, &params) // a version of another type is unknown
	client := params.Params.Version
	if !slices.Contains(versions, client) {
		client = latestVersion
	}
	if slices.Contains(versions, server) {
		return min(client, server)
	}
	return client
}
