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

// Request is one request for a profile's token, as in the audit log. It contains
// no token.
type Request struct {
	Time    time.Time `json:"time"`                // of the request
	Decided time.Time `json:"decided_at,omitzero"` // if the decision took a second or more
	Socket  string    `json:"socket"`
	Profile string    `json:"profile"`
	privsock.Peer
	Outcome string    `json:"outcome,omitempty"`   // "handed out", or the Code of the error
	Reason  string    `json:"reason,omitempty"`    // of an error
	Expiry  time.Time `json:"expires_at,omitzero"` // of the issued token
	Server  string    `json:"server,omitempty"`    // that accepts the token
}

const outcomeIssued = "handed out"

// slow is the duration from which the audit log has a decision's time as well.
const slow = time.Second

// decide completes a request with its outcome: the issued credential, or err.
func (r *Request) decide(c mcplogin.Credential, err error) {
	if now := time.Now().UTC(); now.Sub(r.Time) >= slow {
		r.Decided = now
	}
	if err == nil {
		r.Outcome, r.Expiry, r.Server = outcomeIssued, c.Token.Expiry, c.Server
		return
	}
	e := errorFor(err)
	r.Outcome, r.Reason = string(e.Code), e.Message
}

// conclude records and counts the outcome of a request. With an error no token
// may be issued.
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
