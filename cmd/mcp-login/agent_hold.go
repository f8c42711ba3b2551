package main

import (
	"bytes"
	"io"
	"sync"
)

// maxHeld bounds what is kept back; what is more goes through at once.
const maxHeld = 64 << 10

// holder keeps log lines back while a question stands on the terminal that they
// go to, so that what is typed stays beside its question.
type holder struct {
	to io.Writer

	mu      sync.Mutex // guards what follows
	holding bool
	held    bytes.Buffer
}

// Write implements io.Writer.
func (h *holder) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holding && h.held.Len()+len(line) <= maxHeld {
		return h.held.Write(line)
	}
	return h.to.Write(line)
}

func (h *holder) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = true
}

// release writes what was held. It is best effort, as a log is.
func (h *holder) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = false
	_, _ = h.held.WriteTo(h.to)
	h.held.Reset()
}
