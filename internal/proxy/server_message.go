package proxy

import (
	"bytes"
	"context"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// parseBuffer parses a message of the server, or the messages of a batch. It reads only the
// head of a message: parameters and results may be long, and are for the client.
func parseBuffer(ctx context.Context, buf *buffer.Buffer) ([]message, error) {
	var s mcpwire.Scanner
	for _, block := range buf.Blocks(0, buf.Len()) {
		_, _ = s.Write(block) // it cannot fail
	}
	if _, kind := s.Root(); kind == '[' && s.Complete() {
		text, err := buf.Bytes(ctx)
		if err != nil {
			return nil, err
		}
		return parseBatch(text, s.Elements(), parseServerMessage)
	}
	head, err := s.Head(func(at mcpwire.Span) []byte { return bytes.Join(buf.Blocks(at.Start, at.End), nil) })
	at, _ := s.Root()
	return []message{{buf: buf, at: at, ID: head.ID, Method: head.Method, Error: head.Error}}, err
}

// parseServerMessage reads the head of a message that the server sent.
func parseServerMessage(text []byte) (message, error) {
	head, err := mcpwire.ReadHead(text)
	return message{text: text, ID: head.ID, Method: head.Method, Error: head.Error}, err
}

// joined returns the message with its text in one piece, which is valid until the buffer is
// reset.
func (m message) joined(ctx context.Context) (message, error) {
	if m.buf == nil {
		return m, nil
	}
	text, err := m.buf.Bytes(ctx)
	if err != nil {
		return m, err
	}
	m.text, m.buf = text[m.at.Start:m.at.End], nil
	return m, nil
}

// parts returns the parts of the message's text.
func (m message) parts() [][]byte {
	if m.buf == nil {
		return [][]byte{bytes.TrimSpace(m.text)}
	}
	return m.buf.Blocks(m.at.Start, m.at.End)
}

// size returns the length of the message's text.
func (m message) size() int {
	if m.buf == nil {
		return len(m.text)
	}
	return m.at.End - m.at.Start
}
