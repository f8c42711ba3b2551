package proxy

import (
	"cmp"
	"encoding/json"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// The actions in the result of an elicitation (MCP 2025-11-25).
const (
	actionAccept  = "accept"
	actionDecline = "decline" // also used for clients that cannot ask
)

// clientRequests are the requests of this program to a client.
type clientRequests struct {
	mu      sync.Mutex // guards the fields below
	waiting map[string]chan message
	shown   map[string]bool // the sign-ins that the client's user was shown, by ID
}

// localPrefix begins the IDs that this program makes. The rest is random.
const localPrefix = "mcp-login-"

// deliver delivers the response to a request of this program, and reports whether m is one.
// A response that comes too late is dropped.
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

// expect returns where the response to a request will arrive.
func (a *clientRequests) expect(id string) <-chan message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[string]chan message{}
	}
	a.waiting[id] = make(chan message, 1)
	return a.waiting[id]
}

// forget stops waiting for a response.
func (a *clientRequests) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

// firstShown reports whether the client's user has not been shown this sign-in before.
func (a *clientRequests) firstShown(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shown[id] {
		return false
	}
	a.shown = map[string]bool{id: true} // older sign-ins no longer matter
	return true
}

// clientInfo is what a client says about itself.
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

// clientInfoOf returns what a client says about itself in a request.
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
	_ = json.Unmarshal(m.text, &doc) // treat unreadable capabilities as not declared
	is = doc.Params.clientInfo
	if m.Params.Meta.Version >= mcpwire.Stateless {
		_ = json.Unmarshal(doc.Params.Meta.Capabilities, &is.Capabilities)
		_ = json.Unmarshal(doc.Params.Meta.Info, &is.Info)
	}
	return is
}

// supportsURLElicitation reports whether a client can ask its user to open a page, by what
// it said in a request or, with sessions, in initialize.
func supportsURLElicitation(m, initialize message) bool {
	isStateless := m.Params.Meta.Version >= mcpwire.Stateless
	if isStateless {
		initialize = m
	}
	is := clientInfoOf(initialize)
	url := is.Capabilities.Elicitation.URL
	return url != nil && string(url) != "null" && !(isStateless && failsOnInputRequired(is.Info.Name))
}

// failsOnInputRequired reports whether a client declares URL elicitation and then fails on
// an input-required result, as Copilot CLI 1.0.102 does.
func failsOnInputRequired(client string) bool {
	return strings.Contains(strings.ToLower(client), "copilot")
}

// urlElicitation are the parameters of a request to open a page.
type urlElicitation struct {
	Mode    string `json:"mode"`
	ID      string `json:"elicitationId,omitempty"`
	URL     string `json:"url"`
	Message string `json:"message"`
}

// inputKey identifies the one input that this program asks for.
const inputKey = "mcp_login_sign_in"

// input is how the client's user answered an input-required result (SEP-2322).
type input struct {
	state  string // that this program sent; "" if the message is not a retry
	action string
}

// extractInput takes the answer to this program's own input-required result out of a
// retried call, so that the server does not see it.
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
	_ = json.Unmarshal(params["inputResponses"], &answers) // treat unreadable input as no answer
	m.input = input{state: m.Params.State, action: cmp.Or(answers[inputKey].Action, actionDecline)}
	delete(params, "inputResponses")
	delete(params, "requestState")
	doc["params"] = mcpwire.Encode(params)
	m.text = mcpwire.Encode(doc)
	return m
}

// actionIn returns the user's answer if a call is the retry for this sign-in, or else "".
// The state is the random ID of the sign-in and expires with it, so a guessed or old one
// gains nothing.
func (a *attempt) actionIn(m message) string {
	if m.input.state != localPrefix+a.id {
		return ""
	}
	return m.input.action
}

// inputRequired returns the result that asks for input.
func (s *SignIn) inputRequired(m message, a *attempt, shown proxystate.Page) []byte {
	return mcpwire.Result(m.ID, map[string]any{
		"resultType":   "input_required",
		"requestState": localPrefix + a.id,
		"inputRequests": map[string]any{inputKey: map[string]any{
			"method": methodElicit, "params": urlElicitation{Mode: "url", URL: shown.URL, Message: s.elicitationText(shown)},
		}},
	})
}
