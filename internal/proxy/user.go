package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// relistTimeout is how long the tool to sign in waits for the client to list the server's
// tools, because a model that continues at once would not know them. Some clients never
// list them.
const relistTimeout = time.Second

// user is the user of one client, whom this program can guide through a sign-in.
type user struct {
	Upstream
	lifetime   context.Context             // of sign-ins, which continue without the client
	closing    context.Context             // ends with the client
	work       *sync.WaitGroup             // background work
	initialize func() message              // returns the client's initialize; without a text, there was none
	notify     func(text []byte) (ok bool) // sends the client what does not belong to a call
	requests   *clientRequests

	mu            sync.Mutex // guards the fields below, and is held while the client is notified
	listsOutdated bool       // the client's lists are from before the sign-in
	openPage      string     // the sign-in whose page the client was asked to open; "" means none
	watching      *signal    // set when the user has signed in; nil if nothing watches for that
	relisted      *signal    // set when the client has listed the tools after a notification; nil if there was none
}

// responder sends what belongs to one call.
type responder struct {
	notify  func(text []byte) (ok bool) // sends a message before the response
	respond func(text []byte)
}

// reply answers a request in the form that the client's protocol version requires.
func (o responder) reply(m message, result any) { o.respond(reply(m, result)) }

// signInState says how a call that waits for a sign-in continues.
type signInState int

const (
	statePending       signInState = iota // not approved yet: the call ends with a text that says so
	stateFailed                           // the call ends with the reason
	stateInputRequired                    // the call was answered with an input-required result
	stateSignedIn                         // the call can be forwarded
)

// callSignIn answers a call of the tool to sign in.
func (u *user) callSignIn(ctx context.Context, m message, out responder) {
	if _, ok := u.SignIn.signedIn(ctx, u.Session); !ok && !u.signInForCall(ctx, m, out) {
		return
	}
	u.notifyListsChanged()
	u.waitForRelist(ctx)
	cred, _ := u.SignIn.signedIn(ctx, u.Session) // it was valid a moment ago
	out.reply(m, toolResult(false, u.SignIn.signedInText(cred, u.Server)))
}

// signInForCall guides the user through a sign-in for a call of a tool, and reports whether
// they are signed in. If not, it has answered the call.
func (u *user) signInForCall(ctx context.Context, m message, out responder) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer context.AfterFunc(u.closing, cancel)()
	u.watchSignIn()
	isSignInTool := u.SignIn.isTool(m.Params.Name)
	text, state := u.awaitApproval(ctx, m, out, u.SignIn.start(u.lifetime, u.Upstream), isSignInTool)
	switch state {
	case stateSignedIn:
		u.notifyListsChanged()
		return true
	case statePending, stateFailed:
		out.reply(m, toolResult(state == stateFailed || !isSignInTool, text))
	}
	return false
}

// awaitApproval shows a sign-in to the user and waits for it.
func (u *user) awaitApproval(ctx context.Context, m message, out responder, a *attempt, isSignInTool bool) (text string, state signInState) {
	select {
	case <-a.shown.ch:
	case <-a.ended.ch:
		return u.outcomeText(a)
	case <-ctx.Done():
		return u.SignIn.pendingText(proxystate.Page{}), statePending
	}
	if pasted := m.Params.pasted(); pasted != "" && isSignInTool {
		if err := a.paste(ctx, pasted); err != nil {
			return fmt.Sprintf("The URL was not accepted: %s.\n%s", err, u.SignIn.approvalText(sanitizePage(a.current()))), stateFailed
		}
	}
	if state := u.showPage(ctx, m, out, a); state != stateSignedIn {
		text = u.SignIn.approvalText(sanitizePage(a.current()))
		if a.previousErr != nil {
			text = "The last sign-in failed: " + u.explain(a.previousErr) + "\n" + text
		}
		return text, state
	}
	select {
	case <-a.ended.ch:
		return u.outcomeText(a)
	case <-ctx.Done():
		return u.SignIn.pendingText(sanitizePage(a.current())), statePending
	}
}

// showPage shows the user once where to approve. It returns stateSignedIn if the call can
// wait for that.
func (u *user) showPage(ctx context.Context, m message, out responder, a *attempt) signInState {
	shown := sanitizePage(a.current())
	switch answered := a.actionIn(m); {
	case answered == actionAccept:
		return stateSignedIn
	case answered != "":
		return statePending // perhaps nobody is there to see the page
	case shown.Opened || !u.requests.firstShown(a.id):
		return stateSignedIn // the user knows
	case shown.URL == "" || !supportsURLElicitation(m, u.initialize()):
		return statePending
	case m.Params.Meta.Version >= mcpwire.Stateless:
		out.respond(u.SignIn.inputRequired(m, a, shown))
		return stateInputRequired
	}
	if action := u.elicit(ctx, out, a, shown); action != actionAccept && action != "" {
		return statePending
	}
	return stateSignedIn
}

// outcomeText returns what a call ends with after the sign-in has ended.
func (u *user) outcomeText(a *attempt) (text string, state signInState) {
	u.completeElicitation(a)
	err := a.outcome()
	switch {
	case err == nil:
		return "", stateSignedIn
	case errors.Is(err, errElsewhere):
		text = "mcp-login: " + err.Error()
	default:
		text = u.explain(err)
	}
	return fmt.Sprintf("%s\nCall %s to start again.", text, u.SignIn.toolName()), stateFailed
}

// elicit asks the user to open a page, and returns the action; "" if the sign-in ended
// first.
func (u *user) elicit(ctx context.Context, out responder, a *attempt, shown proxystate.Page) string {
	id := localPrefix + a.id
	answer := u.requests.expect(id)
	defer u.requests.forget(id)
	u.mu.Lock()
	u.openPage = a.id
	u.mu.Unlock()
	if !out.notify(mcpwire.Request(id, methodElicit, urlElicitation{Mode: "url", ID: a.id, URL: shown.URL, Message: u.SignIn.elicitationText(shown)})) {
		return actionDecline // the client cannot ask
	}
	u.work.Go(func() {
		select {
		case <-a.ended.ch:
			u.completeElicitation(a)
		case <-u.closing.Done():
		}
	})
	select {
	case m := <-answer:
		return elicitationAction(m)
	case <-a.ended.ch:
		return ""
	case <-ctx.Done():
		return actionAccept // no answer, but the page may be open
	}
}

// elicitationAction returns the user's action. A client that responds with an error cannot
// ask.
func elicitationAction(m message) string {
	var doc struct {
		Result struct {
			Action string `json:"action"`
		} `json:"result"`
	}
	if json.Unmarshal(m.text, &doc) != nil || doc.Result.Action == "" {
		return actionDecline
	}
	return doc.Result.Action
}

// completeElicitation notifies the client once that the page that it opened is no longer
// needed.
func (u *user) completeElicitation(a *attempt) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.openPage == a.id {
		u.openPage = ""
		u.notify(mcpwire.Request(nil, methodElicited, map[string]string{"elicitationId": a.id}))
	}
}

// watchSignIn watches for a sign-in, here or in another process, and then notifies the
// client that its lists may have changed. The signal is set when the user has signed in.
func (u *user) watchSignIn() *signal {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.listsOutdated = true
	if u.watching == nil {
		u.watching = newSignal()
		done := u.watching
		u.work.Go(func() { u.pollSignIn(done) })
	}
	return u.watching
}

// pollSignIn waits for a sign-in.
func (u *user) pollSignIn(done *signal) {
	for {
		var ended <-chan struct{}
		if a := u.SignIn.lastAttempt(); a != nil && !a.isOver() {
			ended = a.ended.ch
		}
		select {
		case <-ended:
		case <-time.After(storePoll):
		case <-u.closing.Done():
			return
		}
		if _, ok := u.SignIn.signedIn(u.closing, u.Session); ok {
			u.mu.Lock()
			u.watching = nil
			u.mu.Unlock()
			u.notifyListsChanged()
			done.set()
			return
		}
	}
}

// notifyListsChanged notifies the client once that its lists may have changed.
func (u *user) notifyListsChanged() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.listsOutdated {
		return
	}
	for _, method := range []string{methodListTools, methodListPrompts, methodListResources} {
		if !u.notify(listChanged(method)) {
			return // it will be notified later
		}
	}
	u.listsOutdated, u.relisted = false, newSignal()
}

// waitForRelist waits once for a client that was notified to list the tools.
func (u *user) waitForRelist(ctx context.Context) {
	u.mu.Lock()
	relisted := u.relisted
	u.mu.Unlock()
	if relisted != nil {
		_ = relisted.wait(ctx, relistTimeout) // the call is answered in any case
		relisted.set()
	}
}

// noteListed notes that the client has listed the tools.
func (u *user) noteListed(m message) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m.Method == methodListTools && u.relisted != nil {
		u.relisted.set()
	}
}
