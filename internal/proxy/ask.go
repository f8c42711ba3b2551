package proxy

import (
	"cmp"
	"encoding/json"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
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

// saysOfItself returns what a client says of itself with a request.
func saysOfItself(m message) (is abilities) {
	var said struct {
		Params struct {
			abilities
			Meta struct {
				Capabilities json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
				Info         json.RawMessage `json:"io.modelcontextprotocol/clientInfo"`
			} `json:"_meta"`
		} `json:"params"`
	}
	_ = json.Unmarshal(m.text, &said) // what cannot be read is not declared
	is = said.Params.abilities
	if m.Params.Meta.Version >= mcpwire.Stateless {
		_ = json.Unmarshal(said.Params.Meta.Capabilities, &is.Capabilities)
		_ = json.Unmarshal(said.Params.Meta.Info, &is.Info)
	}
	return is
}

// opensPages reports whether a client can be asked to have its user open a page, by
// what it said with a request or, with sessions, in its initialize.
func opensPages(m, hello message) bool {
	isStateless := m.Params.Meta.Version >= mcpwire.Stateless
	if isStateless {
		hello = m
	}
	is := saysOfItself(hello)
	url := is.Capabilities.Elicitation.URL
	return url != nil && string(url) != "null" && !(isStateless && breaksOnInput(is.Info.Name))
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

// inputKey names the one input that this program asks for.
const inputKey = "mcp_login_sign_in"

// input is what a client's user answered to an input-required result (SEP-2322).
type input struct {
	state  string // that this program gave with it; "": the message is no second try
	action string
}

// ownInput takes from the second try of a call what answers this program, so that the
// server hears nothing of that.
func (m message) ownInput() message {
	if !strings.HasPrefix(m.Params.State, ownID) {
		return m
	}
	var doc, params map[string]json.RawMessage
	var answers map[string]struct {
		Action string `json:"action"`
	}
	if json.Unmarshal(m.text, &doc) != nil || json.Unmarshal(doc["params"], &params) != nil {
		return m
	}
	_ = json.Unmarshal(params["inputResponses"], &answers) // what cannot be read is no answer
	m.input = input{state: m.Params.State, action: cmp.Or(answers[inputKey].Action, declined)}
	delete(params, "inputResponses")
	delete(params, "requestState")
	doc["params"] = mcpwire.Encode(params)
	m.text = mcpwire.Encode(doc)
	return m
}

// answered returns what the client's user answered in a call that is a second try for
// this very sign-in; "" if it is no such call. The state is the random id of the
// sign-in and ends with it: nobody gains anything by another one.
func (a *attempt) answered(m message) string {
	if m.input.state != ownID+a.id {
		return ""
	}
	return m.input.action
}

// wantInput returns the answer that asks a call for input.
func (s *SignIn) wantInput(m message, a *attempt, shown proxystate.Page) []byte {
	return mcpwire.Result(m.ID, map[string]any{
		"resultType":   "input_required",
		"requestState": ownID + a.id,
		"inputRequests": map[string]any{inputKey: map[string]any{
			"method": elicit, "params": page{Mode: "url", URL: shown.URL, Message: s.question(shown)},
		}},
	})
}
