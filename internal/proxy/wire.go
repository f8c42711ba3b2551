package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// renewal bounds the beginning of a new session.
	renewal = 30 * time.Second
	// maxVersion bounds the name of a protocol version: headers repeat it.
	maxVersion = 64
	// maxListed bounds what is read of a list of tools, and maxBound how many of
	// them are kept.
	maxListed = 4 << 20
	maxBound  = 10_000
)

// wire is what client and server have agreed on.
type wire struct {
	renewing sync.Mutex // one new session at a time

	mu      sync.Mutex // guards what follows
	id      string     // the session; "": none
	version string     // of the protocol; "": not yet known
	hello   message    // the client's initialize, to begin again with
	begun   bool       // the server has answered it
	tools   map[string][]mcpwire.Binding
	quiet   context.CancelFunc // ends the server's own stream; nil: there is none
	over    bool               // the client has closed its input
}

func (w *wire) session() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.id
}

// stateless reports whether the protocol is one without sessions.
func (w *wire) stateless() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version >= mcpwire.Stateless
}

// heed notes the version that a request of the client names.
func (w *wire) heed(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch v := m.Params.Meta.Version; {
	case !m.isRequest():
	case v != "":
		w.version = v
	case m.Method == initialize:
		w.version = "" // its answer says
	}
}

// begin notes a session that the server has begun.
func (w *wire) begin(hello message, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hello, w.id, w.begun = hello, id, true
}

// greet notes the client's initialize, which the server may not have heard yet.
func (w *wire) greet(hello message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hello = hello
}

// greeted returns the client's initialize.
func (w *wire) greeted() message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hello
}

// owes reports whether the client has said hello and the server has not heard it.
func (w *wire) owes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hello.text != nil && !w.begun
}

// learn notes what an answer says about later requests.
func (w *wire) learn(asked, answer message) {
	switch asked.Method {
	case initialize:
		if version := spoken(answer); version != "" {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.version = version
		}
	case listTools:
		if len(answer.text) > maxListed {
			return
		}
		found := mcpwire.Bindings(answer.text)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.tools == nil {
			w.tools = map[string][]mcpwire.Binding{}
		}
		for name, bound := range found {
			if len(bound) == 0 {
				delete(w.tools, name)
			} else if len(w.tools) < maxBound {
				w.tools[name] = bound
			}
		}
	}
}

// spoken returns the version of an answer to initialize; "": it names none.
func spoken(answer message) string {
	var hello struct {
		Result struct {
			Version string `json:"protocolVersion"`
		} `json:"result"`
	}
	if json.Unmarshal(answer.text, &hello) != nil || len(hello.Result.Version) > maxVersion {
		return ""
	}
	return hello.Result.Version
}

// sign sets the headers that say how a message is meant. A message without a
// method is an answer, or none at all.
func (w *wire) sign(h http.Header, m message, session string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if session != "" {
		h.Set(mcpwire.HeaderSession, session)
	}
	if w.version == "" || m.Method == initialize {
		return
	}
	h.Set(mcpwire.HeaderVersion, w.version)
	if w.version >= mcpwire.Stateless {
		mcpwire.Repeated{Method: m.Method, Name: m.name(), Arguments: m.Params.Arguments, Bindings: w.bindings(m)}.SetOn(h)
	}
}

// bindings returns those of the tool that a message calls. The caller holds w.mu.
func (w *wire) bindings(m message) []mcpwire.Binding {
	if m.Method != callTool {
		return nil
	}
	return w.tools[m.Params.Name]
}

// renew begins a session in the place of one that the server has forgotten.
func (b *bridge) renew(ctx context.Context, forgotten string) error {
	b.wire.renewing.Lock()
	defer b.wire.renewing.Unlock()
	if b.wire.session() != forgotten || forgotten == "" && !b.wire.owes() {
		return nil // somebody else did
	}
	ctx, cancel := context.WithTimeout(ctx, renewal)
	defer cancel()
	b.wire.mu.Lock()
	hello := b.wire.hello
	b.wire.mu.Unlock()
	b.log().Info("restarting a session that the client already started")
	resp, err := b.send(ctx, hello, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := b.check(ctx, resp); err != nil {
		return err
	}
	if err := b.hear(ctx, resp, hello); err != nil {
		return err
	}
	b.wire.begin(hello, resp.Header.Get(mcpwire.HeaderSession))
	return b.settleSession(ctx)
}

// hear reads the answer to an initialize that the client knows nothing of.
func (b *bridge) hear(ctx context.Context, resp *http.Response, hello message) error {
	m, err := response(ctx, resp, b.text(b.MaxMessage))
	if err != nil {
		return err
	}
	b.wire.learn(hello, m)
	b.remember(&call{message: hello}, m)
	return nil
}

// response reads what the server answers a request with, as one text or as an event
// of a stream. It returns an error of the server as an error.
func response(ctx context.Context, resp *http.Response, t text) (found message, err error) {
	read := func(text []byte) (bool, error) {
		m, err := parseHeard(text)
		switch {
		case err != nil || !m.isResponse():
			return false, err
		case m.Error != nil:
			return false, &rpcError{text: bytes.Clone(m.Error)}
		}
		found = m
		found.text = bytes.Clone(m.text)
		return true, nil
	}
	if mcpwire.MediaType(resp) == mcpwire.TypeEvents {
		done, err := events(ctx, resp.Body, t, &eventstream.Cursor{}, read)
		if done {
			return found, nil
		}
		return found, lost(err)
	}
	defer t.reset()
	if err := t.readFrom(ctx, resp.Body); err != nil {
		return found, err
	}
	done, err := read(bytes.TrimSpace(t.bytes))
	if err == nil && !done {
		err = errNoAnswer
	}
	return found, err
}

// settleSession ends the handshake of a session that this program began.
func (b *bridge) settleSession(ctx context.Context) error {
	m := message{text: []byte(`{"jsonrpc":"2.0","method":"` + initialized + `"}`), Method: initialized}
	resp, err := b.send(ctx, m, b.wire.session())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := b.check(ctx, resp); err != nil {
		return err
	}
	b.listen()
	return nil
}

// listen opens the stream of what the server starts by itself, in place of one
// that is open. Without sessions there is none.
func (b *bridge) listen() {
	if b.wire.stateless() {
		return
	}
	ctx, quiet := context.WithCancel(b.lasting)
	if !b.wire.listens(quiet) {
		quiet()
		return
	}
	b.work.Go(func() {
		defer quiet()
		if err := b.hearken(ctx); err != nil && ctx.Err() == nil {
			b.log().Debug("the server offers no stream for its own messages", "error", err)
		}
	})
}

// listens notes how the server's own stream is ended. It ends one that is
// open, and reports whether another is wanted.
func (w *wire) listens(quiet context.CancelFunc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.quiet != nil {
		w.quiet()
	}
	w.quiet = quiet
	return !w.over
}

func (w *wire) stopListening() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.quiet != nil {
		w.quiet()
	}
}

// hearken passes on what the server starts, until it says that it will not: a
// server may offer no such stream (405).
func (b *bridge) hearken(ctx context.Context) error {
	var at eventstream.Cursor
	for try := 0; ; {
		resp, err := b.get(ctx, at.ID)
		if err == nil && (resp.StatusCode != http.StatusOK || mcpwire.MediaType(resp) != mcpwire.TypeEvents) {
			resp.Body.Close()
			if resp.StatusCode < http.StatusInternalServerError {
				return fmt.Errorf("the server answers with %s", status(resp))
			}
			err = errors.New(status(resp))
		}
		if err == nil {
			_, err = events(ctx, resp.Body, b.text(b.MaxMessage), &at, func(text []byte) (bool, error) {
				try = 0
				messages, err := parse(text, parseHeard)
				if err != nil {
					return false, err
				}
				return false, b.passOwn(messages)
			})
			resp.Body.Close()
		}
		if _, refused := errors.AsType[*rpcError](err); refused || errors.Is(err, errNotMessage) || errors.Is(err, eventstream.ErrTooLong) {
			return err
		}
		try++
		if err := pause(ctx, at.Retry, try); err != nil {
			return err
		}
	}
}

// passOwn passes on what the server starts. An error that names no request is about
// this stream, and clients end their connection over one.
func (b *bridge) passOwn(messages []message) error {
	for _, m := range messages {
		if m.isNamelessError() {
			return &rpcError{m.Error, true}
		}
		b.write(m.text)
	}
	return nil
}

// endSession tells the server that the session is over. It need not allow that
// (405), and nobody waits for it.
func (b *bridge) endSession(ctx context.Context) {
	id := b.wire.session()
	if id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, b.Server, nil)
	if err != nil {
		return
	}
	b.wire.sign(req.Header, message{}, id)
	resp, err := b.client.Do(req)
	if err != nil {
		b.log().Debug("session not ended at the server", "error", err)
		return
	}
	resp.Body.Close()
}
