// Package source has the type for where credentials are: a store or an agent. It
// must not know which of them a command uses, nor how the store is opened.
package source

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

// Into sets the source in a session's configuration. With a store, unlike an
// agent, the session itself renews credentials and decides which of them to
// trust.
func (s Source) Into(cfg *mcplogin.Config, renewal mcplogin.Renewal, trust mcplogin.Trust) {
	if s.Agent != nil {
		cfg.Source = mcplogin.Brokered(s.Agent)
		return
	}
	cfg.Source, cfg.Renewal, cfg.Trust = mcplogin.Stored(s.Store), renewal, trust
}

// showTime is the timeout for a status request to the agent.
const showTime = 5 * time.Second

// Shared makes the agent at a socket read a new credential now. It reports whether
// the agent has it, which requires that it uses the same store.
func Shared(ctx context.Context, socket string, c mcplogin.Credential) bool {
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	s, err := (&agent.Client{Socket: socket}).Status(ctx, c.Profile, 0)
	return err == nil && s.Fingerprint == c.Status(0).Fingerprint
}
