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

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// restartTimeout limits the start of a new session.
	restartTimeout = 30 * time.Second
	// maxVersionLength limits the length of a protocol version, because headers repeat it.
	maxVersionLength = 64
	// maxListSize limits how long a list of tools may be to be read, and maxHeaderTools how
	// many of its tools are kept.
	maxListSize    = 4 << 20
	maxHeaderTools = 10_000
)

// connection is what client and server have negotiated.
type connection struct {
	restartMu sync.Mutex // one new session at a time

	mu           sync.Mutex // guards the fields below
	id           string     // the session; "": none
	version      string     // of the protocol; "": not yet known
	initialize   message    // the client's initialize, to restart the session with
	initialized  bool       // the server answered it
	tools        map[string][]mcpwire.Binding
	stopListener context.CancelFunc // closes the server's own stream; nil if there is none
	closed       bool               // the client has closed its input
}

func (w *connection) sessionID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.id
}

// isStateless reports whether the negotiated protocol has no sessions.
func (w *connection) isStateless() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version >= mcpwire.Stateless
}

// noteVersion records the protocol version that a request of the client names.
func (w *connection) noteVersion(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch v := m.Params.Meta.Version; {
	case !m.isRequest():
	case v != "":
		w.version = v
	case m.Method == methodInitialize:
		w.version = "" // the response will say
	}
}

// started records a session that the server started.
func (w *connection) started(initialize message, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.initialize, w.id, w.initialized = initialize, id, true
}

// setInitialize records the client's initialize, which the server may not have received.
func (w *connection) setInitialize(initialize message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.initialize = initialize
}

// initializeMessage returns the client's initialize.
func (w *connection) initializeMessage() message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.initialize
}

// initializePending reports whether the client sent initialize and the server has not
// answered it.
func (w *connection) initializePending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.initialize.text != nil && !w.initialized
}

// noteResponse records what a response says about later requests.
func (w *connection) noteResponse(req, resp message) {
	switch req.Method {
	case methodInitialize:
		if version := protocolVersion(resp); version != "" {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.version = version
		}
	case methodListTools:
		if len(resp.text) > maxListSize {
			return
		}
		found := mcpwire.Bindings(resp.text)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.tools == nil {
			w.tools = map[string][]mcpwire.Binding{}
		}
		for name, bound := range found {
			if len(bound) == 0 {
				delete(w.tools, name)
			} else if len(w.tools) < maxHeaderTools {
				w.tools[name] = bound
			}
		}
	}
}

// protocolVersion returns the version in the response to initialize; "" if it has none.
func protocolVersion(resp message) string {
	var initialize struct {
		Result struct {
			Version string `json:"protocolVersion"`
		} `json:"result"`
	}
	if json.Unmarshal(resp.text, &initialize) != nil || len(initialize.Result.Version) > maxVersionLength {
		return ""
	}
	return initialize.Result.Version
}

// setHeaders sets the headers that describe a message. A message without a method is a
// response, or no message at all.
func (w *connection) setHeaders(h http.Header, m message, session string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if session != "" {
		h.Set(mcpwire.HeaderSession, session)
	}
	if w.version == "" || m.Method == methodInitialize {
		return
	}
	h.Set(mcpwire.HeaderVersion, w.version)
	if w.version >= mcpwire.Stateless {
		mcpwire.Repeated{Method: m.Method, Name: m.routingName(), Arguments: m.Params.Arguments, Bindings: w.bindings(m)}.SetOn(h)
	}
}

// bindings returns the bindings of the tool that a message calls. The caller holds w.mu.
func (w *connection) bindings(m message) []mcpwire.Binding {
	if m.Method != methodCallTool {
		return nil
	}
	return w.tools[m.Params.Name]
}

// restartSession starts a session in place of one that the server lost.
func (b *bridge) restartSession(ctx context.Context, lost string) error {
	b.conn.restartMu.Lock()
	defer b.conn.restartMu.Unlock()
	if b.conn.sessionID() != lost || lost == "" && !b.conn.initializePending() {
		return nil // another request did
	}
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	b.conn.mu.Lock()
	initialize := b.conn.initialize
	b.conn.mu.Unlock()
	b.log().Info("restarting a session that the client already started")
	resp, err := b.send(ctx, initialize, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := b.check(ctx, resp); err != nil {
		return err
	}
	if err := b.readInitializeResponse(ctx, resp, initialize); err != nil {
		return err
	}
	b.conn.started(initialize, resp.Header.Get(mcpwire.HeaderSession))
	return b.finishHandshake(ctx)
}

// readInitializeResponse reads the response to an initialize that the client does not know
// about.
func (b *bridge) readInitializeResponse(ctx context.Context, resp *http.Response, initialize message) error {
	m, err := readResponse(ctx, resp, b.MaxMessage)
	if err != nil {
		return err
	}
	b.conn.noteResponse(initialize, m)
	b.cacheResponse(&call{message: initialize}, m)
	return nil
}

// readResponse reads the response to a request, from a JSON text or an event stream. It
// returns a JSON-RPC error as an error.
func readResponse(ctx context.Context, resp *http.Response, limit int) (found message, err error) {
	buf := buffer.New(buffer.AccountOf(ctx), limit)
	defer buf.Reset()
	read := func() (bool, error) {
		text, err := buf.Bytes(ctx)
		if err != nil {
			return false, err
		}
		m, err := parseServerMessage(bytes.Clone(text))
		switch {
		case err != nil || !m.isResponse():
			return false, err
		case m.Error != nil:
			return false, &rpcError{text: m.Error}
		}
		found = m
		return true, nil
	}
	if mcpwire.MediaType(resp) == mcpwire.TypeEvents {
		done, err := readEvents(ctx, resp.Body, buf, &eventstream.Cursor{}, read)
		if done {
			return found, nil
		}
		return found, streamEnded(err)
	}
	if err := buf.ReadFrom(ctx, resp.Body); err != nil {
		return found, err
	}
	done, err := read()
	if err == nil && !done {
		err = errNoAnswer
	}
	return found, err
}

// finishHandshake completes the handshake of a session that this program started.
func (b *bridge) finishHandshake(ctx context.Context) error {
	m := message{text: []byte(`{"jsonrpc":"2.0","method":"` + methodInitialized + `"}`), Method: methodInitialized}
	resp, err := b.send(ctx, m, b.conn.sessionID())
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

// listen opens the stream for what the server sends unprompted, in place of one that is
// open. Without sessions there is no such stream.
func (b *bridge) listen() {
	if b.conn.isStateless() {
		return
	}
	ctx, stop := context.WithCancel(b.budget.WithAccount(b.lifetime))
	if !b.conn.setListener(stop) {
		stop()
		return
	}
	b.work.Go(func() {
		defer stop()
		if err := b.readServerEvents(ctx); err != nil && ctx.Err() == nil {
			b.log().Debug("the server offers no stream for its own messages", "error", err)
		}
	})
}

// setListener records how to close the server's own stream. It closes one that is open, and
// reports whether a new one is wanted.
func (w *connection) setListener(stop context.CancelFunc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopListener != nil {
		w.stopListener()
	}
	w.stopListener = stop
	return !w.closed
}

func (w *connection) closeListener() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.stopListener != nil {
		w.stopListener()
	}
}

// readServerEvents forwards what the server sends unprompted until the server refuses: it
// need not offer such a stream (405).
func (b *bridge) readServerEvents(ctx context.Context) error {
	var at eventstream.Cursor
	buf := b.newBuffer(ctx)
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
			_, err = readEvents(ctx, resp.Body, buf, &at, func() (bool, error) {
				try = 0
				messages, err := parseBuffer(ctx, buf)
				if err != nil {
					return false, err
				}
				return false, b.forwardServerMessages(ctx, messages)
			})
			resp.Body.Close()
		}
		if _, refused := errors.AsType[*rpcError](err); refused || errors.Is(err, mcpwire.ErrNotMessage) || errors.Is(err, buffer.ErrTooLong) {
			return err
		}
		try++
		if err := waitToRetry(ctx, at.Retry, try); err != nil {
			return err
		}
	}
}

// forwardServerMessages forwards what the server sends unprompted. An error without an id
// is about this stream; clients would close their connection over it.
func (b *bridge) forwardServerMessages(ctx context.Context, messages []message) error {
	for _, m := range messages {
		if m.isErrorWithoutID() {
			return &rpcError{m.Error, true}
		}
		if err := b.forwardOther(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// endSession ends the session at the server, on a best-effort basis: the server may not
// allow it (405).
func (b *bridge) endSession(ctx context.Context) {
	id := b.conn.sessionID()
	if id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, b.Server, nil)
	if err != nil {
		return
	}
	b.conn.setHeaders(req.Header, message{}, id)
	resp, err := b.client.Do(req)
	if err != nil {
		b.log().Debug("session not ended at the server", "error", err)
		return
	}
	resp.Body.Close()
}
