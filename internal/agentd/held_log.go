package agentd

import (
	"bytes"
	"io"
	"sync"
)

// maxHeld bounds what is kept back; what is more goes through at once.
const maxHeld = 64 << 10

// HeldLog keeps log lines back while a question stands on the terminal that they
// go to, so that what is typed stays beside its question.
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

// Hold keeps lines back until Release.
func (h *HeldLog) Hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = true
}

// Release writes what was kept back. It is best effort, as a log is.
func (h *HeldLog) Release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = false
	_, _ = h.held.WriteTo(h.To)
	h.held.Reset()
}
