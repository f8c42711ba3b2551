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
	// promptly is how long a client waits for the server to say what it has: some
	// clients give up a server that has not started after a second.
	promptly = 800 * time.Millisecond
	// storePoll is how often a proxy whose user is not signed in looks whether
	// somebody else has signed in.
	storePoll = 2 * time.Second
	// latest is the newest version with initialize.
	latest = "2025-11-25"
)

// versions are those with initialize.
var versions = []string{"2024-11-05", "2025-03-26", "2025-06-18", latest}

// isKnown reports whether a request is one whose answer is kept for when the server
// cannot be asked or takes its time.
func (m message) isKnown() bool {
	return m.Method == initialize || m.Method == discover || lists[m.Method] != "" && m.Params.Cursor == ""
}

// serve has a request answered: by the server where the user is signed in, else here
// as far as that is possible.
func (b *bridge) serve(ctx context.Context, c *call, before order) error {
	switch {
	case b.SignIn == nil:
		return b.whenDue(ctx, c, before)
	case c.isKnown():
		return b.serveKnown(ctx, c, before)
	case c.Method == callTool && b.SignIn.isTool(c.Params.Name):
		b.user.serveSignIn(ctx, c.message, b.outlet(c))
		return nil
	}
	err := b.whenDue(ctx, c, before)
	if !b.SignIn.wants(ctx, b.Session, err) {
		return err
	}
	b.user.await()
	switch c.Method {
	case callTool:
		if b.user.leadThrough(ctx, c.message, b.outlet(c)) {
			return b.whenDue(ctx, c, before)
		}
		return nil
	case ping:
		b.outlet(c).reply(c.message, struct{}{})
		return nil
	}
	return b.SignIn.required(err)
}

// required says that a request needs a sign-in, and how to begin one.
func (s *SignIn) required(err error) error { return fmt.Errorf("%w; call the tool %s", err, s.name()) }

// outlet is where a call's messages go.
func (b *bridge) outlet(c *call) outlet {
	return outlet{b.notifyClient, func(text []byte) {
		b.write(text)
		c.answered.pass()
	}}
}

// notifyClient sends the client what this program has to say. Without sessions nobody
// is told what belongs to no call: the server tells those who subscribed.
func (b *bridge) notifyClient(text []byte) bool {
	if !b.wire.stateless() {
		b.write(text)
	}
	return true
}

// serveKnown passes on a request whose answer is known from the last time.
func (b *bridge) serveKnown(ctx context.Context, c *call, before order) error {
	if c.Method == initialize {
		b.wire.greet(c.message)
	}
	limit := promptly
	if b.late.Load() {
		limit = 0 // the time was used up by the first request
	}
	soon := time.AfterFunc(limit, func() { b.answerKnown(c, false) })
	defer soon.Stop()
	err := b.whenDue(ctx, c, before)
	if !b.SignIn.wants(ctx, b.Session, err) {
		b.user.hasListed(c.message)
		if c.Method == initialize || c.Method == discover && err == nil {
			b.late.Store(false)
		}
		return err
	}
	b.user.await()
	b.answerKnown(c, true)
	return nil
}

// answerKnown answers a request from what is known of the server, unless the client
// has its answer.
func (b *bridge) answerKnown(c *call, signedOut bool) {
	c.serving.Lock()
	defer c.serving.Unlock()
	if !c.answered.pass() {
		return
	}
	c.served = true
	if lists[c.Method] == "" {
		b.late.Store(!signedOut)
	}
	b.write(b.SignIn.known(c.message, b.Server, signedOut))
}

// known returns the answer to a request from what is known of the server.
func (s *SignIn) known(m message, server string, signedOut bool) []byte {
	switch m.Method {
	case initialize:
		return mcpwire.Result(m.ID, s.greeting(m, server, signedOut))
	case discover:
		// Clients that are refused go on with initialize.
		if found := s.discovered(); found != nil && !signedOut {
			return mcpwire.Result(m.ID, found)
		}
		return mcpwire.Failure(m.ID, mcpwire.CodeMethod, "Method not found: use initialize")
	}
	items := s.list(m.Method)
	if items == nil {
		items = []json.RawMessage{}
	}
	if m.Method == listTools && signedOut {
		items = append([]json.RawMessage{s.tool(server)}, items...)
	}
	return reply(m, map[string]any{lists[m.Method]: items})
}

// remember notes an answer of the server for the next time. A client that was given
// an older list is told that there is another.
func (b *bridge) remember(c *call, m message) {
	if b.SignIn == nil || m.Error != nil || !c.isKnown() && lists[c.Method] == "" {
		return
	}
	changed := b.keep(c.message, m.text)
	c.serving.Lock()
	defer c.serving.Unlock()
	if changed && c.served {
		b.write(listChanged(c.Method))
	}
}

// keep keeps an answer of the server, and reports whether a list is another one now.
func (u Upstream) keep(asked message, text []byte) (changed bool) {
	changed, err := u.SignIn.remember(asked, text)
	if err != nil {
		u.log().Warn("the server's lists are not cached", "error", err)
	}
	return changed
}

// reply returns the answer to a request, in the form of the client's protocol.
func reply(m message, result any) []byte {
	if m.Params.Meta.Version >= mcpwire.Stateless {
		result = complete(result, lists[m.Method] != "")
	}
	return mcpwire.Result(m.ID, result)
}

// complete gives a result what the stateless protocol demands of it.
func complete(result any, isList bool) any {
	fields := map[string]any{"resultType": "complete"}
	if all, ok := result.(map[string]any); ok {
		maps.Copy(fields, all)
	}
	if isList {
		fields["ttlMs"], fields["cacheScope"] = 0, "private" // SEP-2549: another list follows soon
	}
	return fields
}

// connect begins a session at the server, where the client began one that the server
// knows nothing of.
func (b *bridge) connect(ctx context.Context, m message) error {
	if m.Method == initialize || m.Params.Meta.Version >= mcpwire.Stateless || !b.wire.owes() {
		return nil
	}
	return b.renew(ctx, "")
}

// listChanged returns the notification that a list is another one.
func listChanged(method string) []byte {
	kind := lists[method]
	if method == listTemplates {
		kind = lists[listResources]
	}
	return mcpwire.Request(nil, "notifications/"+kind+"/list_changed", nil)
}

// greeting is the answer to initialize from what is known of the server.
func (s *SignIn) greeting(m message, server string, signedOut bool) hello {
	h := s.hello()
	if h.Capabilities == nil {
		h.Capabilities = map[string]json.RawMessage{"prompts": nil, "resources": nil}
	}
	if tools := lists[listTools]; h.Capabilities[tools] == nil {
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
	h.Version = agreed(m, h.Version)
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

// agreed returns the version that the server would answer with: the client's, unless
// the server speaks an older one.
func agreed(m message, spoken string) string {
	var params struct {
		Params struct {
			Version string `json:"protocolVersion"`
		} `json:"params"`
	}
	_ = json.Unmarshal(m.text, &params) // another type than expected: unknown
	wanted := params.Params.Version
	if !slices.Contains(versions, wanted) {
		wanted = latest
	}
	if slices.Contains(versions, spoken) {
		return min(wanted, spoken)
	}
	return wanted
}
