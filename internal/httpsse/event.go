package httpsse

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
)

// event is the data of one event of the server. It implements eventstream.Data.
type event struct {
	ctx     context.Context // of the session, which may wait for memory
	account *buffer.Account // of the session
	data    *buffer.Buffer
}

// newEvent returns an event whose memory is of the budget that all sessions share.
func (t *Transport) newEvent(ctx context.Context) *event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.budget == nil {
		t.budget = buffer.NewBudget()
	}
	account := t.budget.Account()
	return &event{ctx, account, buffer.New(account, MaxMessage)}
}

// Add implements eventstream.Data.
func (e *event) Add(part []byte) error { return e.data.Add(e.ctx, part) }

// Reset implements eventstream.Data.
func (e *event) Reset() { e.data.Reset() }

// text returns the data in one piece, which is valid until Reset.
func (e *event) text() ([]byte, error) { return e.data.Bytes(e.ctx) }

// messages returns the messages of the event.
func (e *event) messages() (messages, error) {
	blocks := net.Buffers(e.data.Blocks(0, e.data.Len()))
	if len(blocks) == 0 || !isBatch(blocks[0]) {
		return parseSingle(&blocks), nil
	}
	text, err := e.text()
	return parseMessages(text), err
}

// part is an unread part of a stream.
type part struct {
	io.Reader
	size int
	data *buffer.Buffer // that the reader reads from; nil if none
}

// part returns one of the event's messages as it is forwarded. If the message is all of the
// event, its data is not copied: the part takes over the buffer.
func (e *event) part(m message) *part {
	if m.text != nil {
		text := eventstream.Message(m.text)
		return &part{Reader: bytes.NewReader(text), size: len(text)}
	}
	const begin, end = "event: message\ndata: ", "\n\n"
	data := e.data
	e.data = buffer.New(e.account, MaxMessage)
	for _, block := range data.Blocks(0, data.Len()) {
		for i := bytes.IndexAny(block, "\r\n"); i >= 0; i = bytes.IndexAny(block, "\r\n") {
			block[i] = ' ' // white space in JSON
			block = block[i+1:]
		}
	}
	return &part{io.MultiReader(strings.NewReader(begin), data, strings.NewReader(end)), len(begin) + data.Len() + len(end), data}
}

// free frees the memory of the part.
func (p *part) free() {
	if p.data != nil {
		p.data.Reset()
	}
}
