package access

import (
	"context"
	"errors"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Report reads one credential, or requests its status from the agent.
func (o Opener) Report(ctx context.Context, from Source, profile string) (report.Credential, error) {
	place, err := o.placeOf(from)
	if err != nil {
		return report.Credential{}, err
	}
	return o.report(ctx, from, place, profile)
}

// placeOf names a source, for people.
func (o Opener) placeOf(from Source) (string, error) {
	if from.Agent != nil {
		return "agent:" + from.Agent.Socket, nil
	}
	return o.Stores().Name(o.Location())
}

func (o Opener) report(ctx context.Context, from Source, place, profile string) (report.Credential, error) {
	if from.Agent != nil {
		s, err := from.Agent.Status(ctx, profile, o.MinTTL)
		return report.Credential{Status: s, Store: place}, err
	}
	s, err := o.Session(from, profile)
	if err != nil {
		return report.Credential{}, err
	}
	c, err := s.Credential(ctx)
	if err != nil {
		return report.Credential{}, err
	}
	r := report.Credential{Status: s.Status(c, o.MinTTL), Account: o.Identity(c).Name, Store: place, Inputs: c.Login.Inputs}
	if confirmed.Demands(c) {
		known := o.Notes().Known(c)
		r.Confirmed = &known
	}
	return r, nil
}

// Reports reads the named credentials. It calls unread for one that cannot be
// read, unless unread is nil or the whole store is locked: then it returns the
// error.
func (o Opener) Reports(ctx context.Context, from Source, names []string, unread func(name string, err error)) ([]report.Credential, error) {
	place, err := o.placeOf(from)
	if err != nil {
		return nil, err
	}
	all := make([]report.Credential, 0, len(names))
	for _, name := range names {
		r, err := o.report(ctx, from, place, name)
		switch {
		case errors.Is(err, mcplogin.ErrLoginRequired):
			continue // it was just removed, or an older version recorded a login that was not completed
		case errors.Is(err, secretref.ErrLocked):
			return nil, err // all others are unreadable too
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
