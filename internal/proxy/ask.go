package proxy

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// The answers to a request to open a page (MCP 2025-11-25, elicitation).
const (
	accepted = "accept"
	declined = "decline" // also of clients in which nobody can be asked
)

// asked is what this program asked a client.
type asked struct {
	mu       sync.Mutex // guards what follows
	waiting  map[string]chan message
	notified map[string]bool // the sign-ins that the client's user knows of, by id
}

// ownID begins the ids of the requests of this program. What follows is random.
const ownID = "mcp-login-"

// take delivers the answer to a request of this program, and reports whether it is
// one. One that comes too late goes nowhere.
func (a *asked) take(m message) bool {
	var id string
	if json.Unmarshal(m.ID, &id) != nil || !strings.HasPrefix(id, ownID) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if answer, found := a.waiting[id]; found {
		delete(a.waiting, id)
		answer <- m // it has room for one
	}
	return true
}

// expect returns where the answer to a request arrives.
func (a *asked) expect(id string) <-chan message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[string]chan message{}
	}
	a.waiting[id] = make(chan message, 1)
	return a.waiting[id]
}

// forget ends the wait for an answer.
func (a *asked) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

// first reports whether the client's user is told of a sign-in for the first time.
func (a *asked) first(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.notified[id] {
		return false
	}
	a.notified = map[string]bool{id: true} // of older ones nobody asks any more
	return true
}

// abilities are what a client says of itself.
type abilities struct {
	Capabilities struct {
		Elicitation struct {
			URL json.RawMessage `json:"url"`
		} `json:"elicitation"`
	} `json:"capabilities"`
	Info struct {
		Name string `json:"name"`
	} `json:"clientInfo"`
}

// opensPages reports whether a client can be asked to have its user open a page, by
// what it said with a request or, with sessions, in its initialize.
func opensPages(m, hello message) bool {
	var said struct {
		Params struct {
			abilities
			Meta struct {
				Capabilities json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
				Info         json.RawMessage `json:"io.modelcontextprotocol/clientInfo"`
			} `json:"_meta"`
		} `json:"params"`
	}
	if m.Params.Meta.Version >= stateless {
		hello = m
	}
	_ = json.Unmarshal(hello.text, &said) // what cannot be read is not declared
	is := said.Params.abilities
	if m.Params.Meta.Version >= stateless {
		_ = json.Unmarshal(said.Params.Meta.Capabilities, &is.Capabilities)
		_ = json.Unmarshal(said.Params.Meta.Info, &is.Info)
		if breaksOnInput(is.Info.Name) {
			return false
		}
	}
	url := is.Capabilities.Elicitation.URL
	return url != nil && string(url) != "null"
}

// breaksOnInput reports whether a client declares that it can open pages and then
// fails on a result that asks for it, as Copilot CLI 1.0.102 does.
func breaksOnInput(client string) bool {
	return strings.Contains(strings.ToLower(client), "copilot")
}

// page is the request to open a page.
type page struct {
	Mode    string `json:"mode"`
	ID      string `json:"elicitationId,omitempty"`
	URL     string `json:"url"`
	Message string `json:"message"`
}

// askHere asks the client's user to open a page, and returns what they answered; ""
// if the sign-in ended first.
func (b *bridge) askHere(ctx context.Context, a *attempt, shown proxystate.Page) string {
	id := ownID + a.id
	answer := b.asked.expect(id)
	defer b.asked.forget(id)
	b.write(request(id, elicit, page{Mode: "url", ID: a.id, URL: shown.URL, Message: b.SignIn.question(shown)}))
	b.work.Go(func() { b.notifyEnd(a) })
	select {
	case m := <-answer:
		var said struct {
			Result struct {
				Action string `json:"action"`
			} `json:"result"`
		}
		if json.Unmarshal(m.text, &said) != nil || said.Result.Action == "" {
			return declined // an error: it cannot ask
		}
		return said.Result.Action
	case <-a.ended.passed:
		return ""
	case <-ctx.Done():
		return accepted // nobody has answered, and the page may be open
	}
}

// notifyEnd tells the client that the page that it opened is done with.
func (b *bridge) notifyEnd(a *attempt) {
	select {
	case <-a.ended.passed:
		b.write(request("", elicited, map[string]string{"elicitationId": a.id}))
	case <-b.closing.Done():
	}
}

// retry is the second try of a call after an input-required result (SEP-2322).
type retry struct {
	Params struct {
		State     string `json:"requestState"`
		Responses map[string]struct {
			Action string `json:"action"`
		} `json:"inputResponses"`
	} `json:"params"`
}

// inputKey names the one input that this program asks for.
const inputKey = "mcp_login_sign_in"

// answeredInput returns what the client's user answered in a call that is a second
// try for this very sign-in; "" if it is no such call. The state is the random id of
// the sign-in and ends with it: nobody gains anything by another one.
func answeredInput(m message, a *attempt) string {
	var r retry
	_ = json.Unmarshal(m.text, &r) // what cannot be read is no second try
	if r.Params.State != a.id {
		return ""
	}
	if action := r.Params.Responses[inputKey].Action; action != "" {
		return action
	}
	return declined
}

// wantInput answers a call by asking for input.
func (b *bridge) wantInput(c *call, a *attempt, shown proxystate.Page) {
	b.write(succeeded(c.ID, map[string]any{
		"resultType":   "input_required",
		"requestState": a.id,
		"inputRequests": map[string]any{inputKey: map[string]any{
			"method": elicit, "params": page{Mode: "url", URL: shown.URL, Message: b.SignIn.question(shown)},
		}},
	}))
	c.answered.pass()
}
