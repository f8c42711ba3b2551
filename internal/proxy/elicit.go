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
	actionAccept  = "accept"
	actionDecline = "decline" // also of clients in which nobody can be asked
)

// clientRequests is what this program asked a client.
type clientRequests struct {
	mu      sync.Mutex // guards what follows
	waiting map[string]chan message
	shown   map[string]bool // the sign-ins that the client's user knows of, by id
}

// localPrefix begins the ids of the requests of this program. What follows is random.
const localPrefix = "mcp-login-"

// deliver delivers the answer to a request of this program, and reports whether it is
// one. One that comes too late goes nowhere.
func (a *clientRequests) deliver(m message) bool {
	var id string
	if json.Unmarshal(m.ID, &id) != nil || !strings.HasPrefix(id, localPrefix) {
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
func (a *clientRequests) expect(id string) <-chan message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[string]chan message{}
	}
	a.waiting[id] = make(chan message, 1)
	return a.waiting[id]
}

// forget ends the wait for an answer.
func (a *clientRequests) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

// firstShown reports whether the client's user is told of a sign-in for the first time.
func (a *clientRequests) firstShown(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shown[id] {
		return false
	}
	a.shown = map[string]bool{id: true} // of older ones nobody asks any more
	return true
}

// clientInfo are what a client says of itself.
type clientInfo struct {
	Capabilities struct {
		Elicitation struct {
			URL json.RawMessage `json:"url"`
		} `json:"elicitation"`
	} `json:"capabilities"`
	Info struct {
		Name string `json:"name"`
	} `json:"clientInfo"`
}

// clientInfoOf returns what a client says of itself with a request.
func clientInfoOf(m message) (is clientInfo) {
	var doc struct {
		Params struct {
			clientInfo
			Meta struct {
				Capabilities json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
				Info         json.RawMessage `json:"io.modelcontextprotocol/clientInfo"`
			} `json:"_meta"`
		} `json:"params"`
	}
	_ = json.Unmarshal(m.text, &doc) // what cannot be read is not declared
	is = doc.Params.clientInfo
	if m.Params.Meta.Version >= mcpwire.Stateless {
		_ = json.Unmarshal(doc.Params.Meta.Capabilities, &is.Capabilities)
		_ = json.Unmarshal(doc.Params.Meta.Info, &is.Info)
	}
	return is
}

// supportsURLElicitation reports whether a client can be asked to have its user open a page, by
// what it said with a request or, with sessions, in its initialize.
func supportsURLElicitation(m, initialize message) bool {
	isStateless := m.Params.Meta.Version >= mcpwire.Stateless
	if isStateless {
		initialize = m
	}
	is := clientInfoOf(initialize)
	url := is.Capabilities.Elicitation.URL
	return url != nil && string(url) != "null" && !(isStateless && failsOnInputRequired(is.Info.Name))
}

// failsOnInputRequired reports whether a client declares that it can open pages and then
// fails on a result that asks for it, as Copilot CLI 1.0.102 does.
func failsOnInputRequired(client string) bool {
	return strings.Contains(strings.ToLower(client), "copilot")
}

// urlElicitation is the request to open a page.
type urlElicitation struct {
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

// extractInput takes from the second try of a call what answers this program, so that the
// server hears nothing of that.
func (m message) extractInput() message {
	if !strings.HasPrefix(m.Params.State, localPrefix) {
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
	m.input = input{state: m.Params.State, action: cmp.Or(answers[inputKey].Action, actionDecline)}
	delete(params, "inputResponses")
	delete(params, "requestState")
	doc["params"] = mcpwire.Encode(params)
	m.text = mcpwire.Encode(doc)
	return m
}

// actionIn returns what the client's user answered in a call that is a second try for
// this very sign-in; "" if it is no such call. The state is the random id of the
// sign-in and ends with it: nobody gains anything by another one.
func (a *attempt) actionIn(m message) string {
	if m.input.state != localPrefix+a.id {
		return ""
	}
	return m.input.action
}

// inputRequired returns the answer that asks a call for input.
func (s *SignIn) inputRequired(m message, a *attempt, shown proxystate.Page) []byte {
	return mcpwire.Result(m.ID, map[string]any{
		"resultType":   "input_required",
		"requestState": localPrefix + a.id,
		"inputRequests": map[string]any{inputKey: map[string]any{
			"method": methodElicit, "params": urlElicitation{Mode: "url", URL: shown.URL, Message: s.elicitationText(shown)},
		}},
	})
}
