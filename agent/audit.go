package agent

import (
	"encoding/json"
	"fmt"
	"time"
)

// Request is one request for a profile's token, as the audit log has it. It
// holds no token.
type Request struct {
	Time    time.Time `json:"time"`
	Socket  string    `json:"socket"`
	Profile string    `json:"profile"`
	Peer
	Outcome string    `json:"outcome,omitempty"`   // "handed out", or the Code of the refusal
	Reason  string    `json:"reason,omitempty"`    // of a refusal
	Expiry  time.Time `json:"expires_at,omitzero"` // of what was handed out
	Server  string    `json:"server,omitempty"`    // that it is for
}

const handedOut = "handed out"

// record writes one line of the audit log, before the answer is sent.
func (a *Agent) record(r Request) error {
	if a.cfg.Audit == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	a.audit.Lock()
	defer a.audit.Unlock()
	if _, err := a.cfg.Audit.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}
