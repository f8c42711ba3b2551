package agentd

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Request is one request for a profile's token, as the audit log has it. It
// holds no token.
type Request struct {
	Time    time.Time `json:"time"`                // when it came
	Decided time.Time `json:"decided_at,omitzero"` // when it was decided on, if that took a person, or a server, a second or more
	Socket  string    `json:"socket"`
	Profile string    `json:"profile"`
	privsock.Peer
	Outcome string    `json:"outcome,omitempty"`   // "handed out", or the Code of the refusal
	Reason  string    `json:"reason,omitempty"`    // of a refusal
	Expiry  time.Time `json:"expires_at,omitzero"` // of what was handed out
	Server  string    `json:"server,omitempty"`    // that it is for
}

const handedOut = "handed out"

// slow is from when on a decision has a time of its own in the audit log.
const slow = time.Second

// decide completes a request with what came of it: what is handed out, or err.
func (r *Request) decide(c mcplogin.Credential, err error) {
	if now := time.Now().UTC(); now.Sub(r.Time) >= slow {
		r.Decided = now
	}
	if err == nil {
		r.Outcome, r.Expiry, r.Server = handedOut, c.Token.Expiry, c.Server
		return
	}
	e := errorFor(err)
	r.Outcome, r.Reason = string(e.Code), e.Message
}

// conclude records and counts what came of a request, and returns why nothing
// may be handed out, if so.
func (a *Agent) conclude(r Request, err error) error {
	if fault := a.record(r); fault != nil {
		r.Outcome = string(agent.CodeFailed)
		err = errors.Join(err, fault)
	}
	a.metrics.request(r.Outcome)
	return err
}

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
