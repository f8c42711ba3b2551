package access

import (
	"context"
	"errors"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/source"
)

// Report reads one credential, or requests its status from the agent.
func (o Opener) Report(ctx context.Context, from source.Source, profile string) (report.Credential, error) {
	if from.Agent != nil {
		s, err := from.Agent.Status(ctx, profile, o.MinTTL)
		return report.Credential{Status: s, Store: "agent:" + from.Agent.Socket}, err
	}
	s, err := o.Session(from, profile)
	if err != nil {
		return report.Credential{}, err
	}
	c, err := s.Credential(ctx)
	if err != nil {
		return report.Credential{}, err
	}
	store, err := o.Stores().Name(o.Location())
	r := report.Credential{Status: c.Status(o.MinTTL), Account: o.Identity(c).Name, Store: store, Inputs: c.Login.Inputs}
	if err == nil && confirmed.Demands(c) {
		known := o.Notes().Known(c)
		r.Confirmed = &known
	}
	return r, err
}

// Reports reads the named credentials. One that cannot be read is given to unread,
// unless that is nil or the whole store is locked: then it is the error.
func (o Opener) Reports(ctx context.Context, from source.Source, names []string, unread func(name string, err error)) ([]report.Credential, error) {
	all := make([]report.Credential, 0, len(names))
	for _, name := range names {
		r, err := o.Report(ctx, from, name)
		switch {
		case errors.Is(err, mcplogin.ErrLoginRequired):
			continue // it was removed meanwhile, or is an older version's note of a login that was not completed
		case errors.Is(err, secretref.ErrLocked):
			return nil, err // so are all others
		case err != nil && unread != nil:
			unread(name, err)
		case err != nil:
			return nil, err
		default:
			all = append(all, r)
		}
	}
	return all, nil
}
