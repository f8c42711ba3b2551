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
	// cacheDelay is how long a client waits for the server to say what it has: some
	// clients give up a server that has not started after a second.
	cacheDelay = 800 * time.Millisecond
	// storePoll is how often a proxy whose user is not signed in looks whether
	// somebody else has signed in.
	storePoll = 2 * time.Second
	// latestVersion is the newest version with initialize.
	latestVersion = "2025-11-25"
)

// versions are those with initialize.
var versions = []string{"2024-11-05", "2025-03-26", "2025-06-18", latestVersion}

// isCacheable reports whether a request is one whose answer is kept for when the server
// cannot be asked or takes its time.
func (m message) isCacheable() bool {
	return m.Method == methodInitialize || m.Method == methodDiscover || lists[m.Method] != "" && m.Params.Cursor == ""
}

// answer has a request answered: by the server where the user is signed in, else here
// as far as that is possible.
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

// requiredError says that a request needs a sign-in, and how to begin one.
func (s *SignIn) requiredError(err error) error {
	return fmt.Errorf("%w; call the tool %s", err, s.toolName())
}

// responder is where a call's messages go.
func (b *bridge) responder(c *call) responder {
	return responder{b.notifyClient, func(text []byte) {
		b.writeText(text)
		c.answered.set()
	}}
}

// notifyClient sends the client what this program has to say. Without sessions nobody
// is told what belongs to no call: the server tells those who subscribed.
func (b *bridge) notifyClient(text []byte) bool {
	if !b.conn.isStateless() {
		b.writeText(text)
	}
	return true
}

// answerCacheable passes on a request whose answer is known from the last time.
func (b *bridge) answerCacheable(ctx context.Context, c *call, before order) error {
	if c.Method == methodInitialize {
		b.conn.setInitialize(c.message)
	}
	limit := cacheDelay
	if b.slow.Load() {
		limit = 0 // the time was used up by the first request
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

// answerFromCache answers a request from what is known of the server, unless the client
// has its answer.
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

// cachedResponse returns the answer to a request from what is known of the server.
func (s *SignIn) cachedResponse(m message, server string, signedOut bool) []byte {
	switch m.Method {
	case methodInitialize:
		return mcpwire.Result(m.ID, s.initializeResponse(m, server, signedOut))
	case methodDiscover:
		// Clients that are refused go on with initialize.
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

// cacheResponse notes an answer of the server for the next time. A client that was given
// an older list is told that there is another.
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

// updateCache keeps an answer of the server, and reports whether a list is another one now.
func (u Upstream) updateCache(req message, text []byte) (changed bool) {
	changed, err := u.SignIn.cacheResponse(req, text)
	if err != nil {
		u.log().Warn("the server's lists are not cached", "error", err)
	}
	return changed
}

// reply returns the answer to a request, in the form of the client's protocol.
func reply(m message, result any) []byte {
	if m.Params.Meta.Version >= mcpwire.Stateless {
		result = addStatelessFields(result, lists[m.Method] != "")
	}
	return mcpwire.Result(m.ID, result)
}

// addStatelessFields gives a result what the stateless protocol demands of it.
func addStatelessFields(result any, isList bool) any {
	fields := map[string]any{"resultType": "complete"}
	if all, ok := result.(map[string]any); ok {
		maps.Copy(fields, all)
	}
	if isList {
		fields["ttlMs"], fields["cacheScope"] = 0, "private" // SEP-2549: another list follows soon
	}
	return fields
}

// ensureSession begins a session at the server, where the client began one that the server
// knows nothing of.
func (b *bridge) ensureSession(ctx context.Context, m message) error {
	if m.Method == methodInitialize || m.Params.Meta.Version >= mcpwire.Stateless || !b.conn.initializePending() {
		return nil
	}
	return b.restartSession(ctx, "")
}

// listChanged returns the notification that a list is another one.
func listChanged(method string) []byte {
	kind := lists[method]
	if method == methodListTemplates {
		kind = lists[methodListResources]
	}
	return mcpwire.Request(nil, "notifications/"+kind+"/list_changed", nil)
}

// initializeResponse is the answer to initialize from what is known of the server.
func (s *SignIn) initializeResponse(m message, server string, signedOut bool) initializeResult {
	h := s.initializeResult()
	if h.Capabilities == nil {
		h.Capabilities = map[string]json.RawMessage{"prompts": nil, "resources": nil}
	}
	if tools := lists[methodListTools]; h.Capabilities[tools] == nil {
		h.Capabilities[tools] = nil // the tool to sign in needs the key
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

// negotiateVersion returns the version that the server would answer with: the client's, unless
// the server speaks an older one.
func negotiateVersion(m message, server string) string {
	var params struct {
		Params struct {
			Version string `json:"protocolVersion"`
		} `json:"params"`
	}
	_ = json.Unmarshal(m.text, &params) // another type than expected: unknown
	client := params.Params.Version
	if !slices.Contains(versions, client) {
		client = latestVersion
	}
	if slices.Contains(versions, server) {
		return min(client, server)
	}
	return client
}
