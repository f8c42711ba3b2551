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

// relist is how long the tool to sign in waits for the client to list the tools of the
// server: else a model that goes on at once does not know them yet. Some clients never do.
const relist = time.Second

// user is the user of one client, whom this program can lead through a sign-in.
type user struct {
	Upstream
	lasting context.Context             // a sign-in goes on until it ends, whatever becomes of the client
	closing context.Context             // ends with the client
	work    *sync.WaitGroup             // what goes on beside the client's calls
	hello   func() message              // the client's initialize; no text: there was none
	notify  func(text []byte) (ok bool) // sends the client what belongs to no call
	asked   *asked

	news     sync.Mutex // guards what follows, and is held while the client is told
	outdated bool       // the client has lists of a time without a sign-in
	page     string     // the sign-in whose page the client was asked to open; "": none
	watch    *mark      // the user has signed in; nil: nobody watches out for that
	relisted *mark      // the client has listed the tools after it heard of other ones; nil: it heard of none
}

// outlet is where a client gets what belongs to one of its calls.
type outlet struct {
	notify func(text []byte) (ok bool) // before the answer
	answer func(text []byte)
}

// reply answers a request, in the form of the client's protocol.
func (o outlet) reply(m message, result any) { o.answer(reply(m, result)) }

// lead is how a call that waits for a sign-in goes on.
type lead int

const (
	waiting  lead = iota // for the user: the call ends with a text that says so
	broken               // the sign-in failed: the call ends with the reason
	asking               // the call was answered by a request for input
	signedIn             // the call can be served
)

// serveSignIn answers a call of the tool to sign in.
func (u *user) serveSignIn(ctx context.Context, m message, out outlet) {
	if _, ok := u.SignIn.signedIn(ctx, u.Session); !ok && !u.leadThrough(ctx, m, out) {
		return
	}
	u.announce()
	u.awaitLists(ctx)
	cred, _ := u.SignIn.signedIn(ctx, u.Session) // it was there a moment ago
	out.reply(m, result(false, u.SignIn.welcome(cred, u.Server)))
}

// leadThrough leads the user through a sign-in for a call of a tool, and reports
// whether they are signed in. If not, the call has its answer.
func (u *user) leadThrough(ctx context.Context, m message, out outlet) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	defer context.AfterFunc(u.closing, cancel)()
	u.await()
	isOwn := u.SignIn.isTool(m.Params.Name)
	text, how := u.lead(ctx, m, out, u.SignIn.join(u.lasting, u.Upstream), isOwn)
	switch how {
	case signedIn:
		u.announce()
		return true
	case waiting, broken:
		out.reply(m, result(how == broken || !isOwn, text))
	}
	return false
}

// lead tells the user of a sign-in and waits for it.
func (u *user) lead(ctx context.Context, m message, out outlet, a *attempt, isOwn bool) (text string, how lead) {
	select {
	case <-a.shown.passed:
	case <-a.ended.passed:
		return u.ending(a)
	case <-ctx.Done():
		return u.SignIn.pending(proxystate.Page{}), waiting
	}
	if pasted := m.Params.pasted(); pasted != "" && isOwn {
		if err := a.paste(ctx, pasted); err != nil {
			return fmt.Sprintf("The URL was not accepted: %s.\n%s", err, u.SignIn.guide(safe(a.current()))), broken
		}
	}
	if how := u.notifyUser(ctx, m, out, a); how != signedIn {
		text = u.SignIn.guide(safe(a.current()))
		if a.after != nil {
			text = "The last sign-in failed: " + u.explain(a.after) + "\n" + text
		}
		return text, how
	}
	select {
	case <-a.ended.passed:
		return u.ending(a)
	case <-ctx.Done():
		return u.SignIn.pending(safe(a.current())), waiting
	}
}

// notifyUser tells the user once where to approve. It returns signedIn where the call
// can wait for that.
func (u *user) notifyUser(ctx context.Context, m message, out outlet, a *attempt) lead {
	shown := safe(a.current())
	switch answered := a.answered(m); {
	case answered == accepted:
		return signedIn
	case answered != "":
		return waiting // nobody may be there to see a page
	case shown.Opened || !u.asked.first(a.id):
		return signedIn // the user knows
	case shown.URL == "" || !opensPages(m, u.hello()):
		return waiting
	case m.Params.Meta.Version >= mcpwire.Stateless:
		out.answer(u.SignIn.wantInput(m, a, shown))
		return asking
	}
	if action := u.askHere(ctx, out, a, shown); action != accepted && action != "" {
		return waiting
	}
	return signedIn
}

// ending is what a call ends with when the sign-in is over.
func (u *user) ending(a *attempt) (text string, how lead) {
	u.closePage(a)
	err := a.outcome()
	switch {
	case err == nil:
		return "", signedIn
	case errors.Is(err, errElsewhere):
		text = "mcp-login: " + err.Error()
	default:
		text = u.explain(err)
	}
	return fmt.Sprintf("%s\nCall %s to start again.", text, u.SignIn.name()), broken
}

// askHere asks the user to open a page, and returns what they answered; "" if the
// sign-in ended first.
func (u *user) askHere(ctx context.Context, out outlet, a *attempt, shown proxystate.Page) string {
	id := ownID + a.id
	answer := u.asked.expect(id)
	defer u.asked.forget(id)
	u.news.Lock()
	u.page = a.id
	u.news.Unlock()
	if !out.notify(mcpwire.Request(id, elicit, page{Mode: "url", ID: a.id, URL: shown.URL, Message: u.SignIn.question(shown)})) {
		return declined // it cannot be asked
	}
	u.work.Go(func() {
		select {
		case <-a.ended.passed:
			u.closePage(a)
		case <-u.closing.Done():
		}
	})
	select {
	case m := <-answer:
		return action(m)
	case <-a.ended.passed:
		return ""
	case <-ctx.Done():
		return accepted // nobody has answered, and the page may be open
	}
}

// action returns what the user answered. A client that answers with an error cannot ask.
func action(m message) string {
	var said struct {
		Result struct {
			Action string `json:"action"`
		} `json:"result"`
	}
	if json.Unmarshal(m.text, &said) != nil || said.Result.Action == "" {
		return declined
	}
	return said.Result.Action
}

// closePage tells the client once that the page that it opened is done with.
func (u *user) closePage(a *attempt) {
	u.news.Lock()
	defer u.news.Unlock()
	if u.page == a.id {
		u.page = ""
		u.notify(mcpwire.Request(nil, elicited, map[string]string{"elicitationId": a.id}))
	}
}

// await watches out for a sign-in, here or by another process, and tells the client
// then that the lists may be others. The mark is passed when the user has signed in.
func (u *user) await() *mark {
	u.news.Lock()
	defer u.news.Unlock()
	u.outdated = true
	if u.watch == nil {
		u.watch = newMark()
		done := u.watch
		u.work.Go(func() { u.watchOut(done) })
	}
	return u.watch
}

// watchOut waits for a sign-in.
func (u *user) watchOut(done *mark) {
	for {
		var ended <-chan struct{}
		if a := u.SignIn.latest(); a != nil && !a.isOver() {
			ended = a.ended.passed
		}
		select {
		case <-ended:
		case <-time.After(storePoll):
		case <-u.closing.Done():
			return
		}
		if _, ok := u.SignIn.signedIn(u.closing, u.Session); ok {
			u.news.Lock()
			u.watch = nil
			u.news.Unlock()
			u.announce()
			done.pass()
			return
		}
	}
}

// announce tells the client once that its lists may be outdated.
func (u *user) announce() {
	u.news.Lock()
	defer u.news.Unlock()
	if !u.outdated {
		return
	}
	for _, method := range []string{listTools, listPrompts, listResources} {
		if !u.notify(listChanged(method)) {
			return // it hears of that later
		}
	}
	u.outdated, u.relisted = false, newMark()
}

// awaitLists waits once for a client that heard of other tools to list them.
func (u *user) awaitLists(ctx context.Context) {
	u.news.Lock()
	relisted := u.relisted
	u.news.Unlock()
	if relisted != nil {
		_ = relisted.wait(ctx, relist) // the answer goes out in any case
		relisted.pass()
	}
}

// hasListed notes that the client has listed the tools.
func (u *user) hasListed(m message) {
	u.news.Lock()
	defer u.news.Unlock()
	if m.Method == listTools && u.relisted != nil {
		u.relisted.pass()
	}
}
