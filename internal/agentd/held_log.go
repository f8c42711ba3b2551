package agentd

import (
	"bytes"
	"io"
	"sync"
)

// maxHeld limits the buffer in bytes; further lines are written immediately.
const maxHeld = 64 << 10

// HeldLog buffers log lines while a question is shown on the same terminal, so
// that the typed answer stays next to the question.
type HeldLog struct {
	// To receives the lines. Required.
	To io.Writer

	mu      sync.Mutex // guards what follows
	holding bool
	held    bytes.Buffer
}

// Write implements io.Writer.
func (h *HeldLog) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holding && h.held.Len()+len(line) <= maxHeld {
		return h.held.Write(line)
	}
	return h.To.Write(line)
}

// Hold buffers lines until Release.
func (h *HeldLog) Hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = true
}

// Release writes the buffered lines. It is best effort.
func (h *HeldLog) Release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = false
	_, _ = h.held.WriteTo(h.To)
	h.held.Reset()
}
