package access

import (
	"context"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/secrets"
)

// Source is a store or an agent. There is never a fallback from one to the
// other.
type Source struct {
	Store secrets.Store
	Agent *agent.Client // nil: use the store
}

// Profiles returns the names of the credentials.
func (s Source) Profiles(ctx context.Context) ([]string, error) {
	if s.Agent != nil {
		return s.Agent.Profiles(ctx)
	}
	return s.Store.List(ctx)
}

// into has a session use the source. A store, unlike an agent, leaves it to the
// session to renew credentials, and to decide which of them count.
func (s Source) into(cfg *mcplogin.Config, renewal mcplogin.Renewal, trust mcplogin.Trust) {
	if s.Agent != nil {
		cfg.Source = mcplogin.Brokered(s.Agent)
		return
	}
	cfg.Source, cfg.Renewal, cfg.Trust = mcplogin.Stored(s.Store), renewal, trust
}

// showTime is the timeout for a status request to the agent.
const showTime = 5 * time.Second

// shared has the agent at a socket look at a new credential now, and not in some
// minutes. It reports whether the agent has it, as it does if its store is the one
// that the credential is in.
func shared(ctx context.Context, socket string, c mcplogin.Credential) bool {
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	s, err := (&agent.Client{Socket: socket}).Status(ctx, c.Profile, 0)
	return err == nil && s.Fingerprint == c.Status(0).Fingerprint
}
