package stores

import (
	"context"
	"errors"

	"github.com/mcp-login/mcp-login/secrets"
)

// ErrSame reports a move to the store that the records are in.
var ErrSame = errors.New("it is the same store")

// Move is what to move, and where to.
type Move struct {
	From, To Location
	Names    []string                          // none: all
	Wrap     func(secrets.Store) secrets.Store // wraps the source store
	Agree    func(Weaker, []string) error      // called before records move to a weaker store; an error stops the move
	Moved    func(name string)                 // after each record
}

// Move moves records to another store after testing it. Each record is copied, read
// back, and only then removed.
func (o Opener) Move(ctx context.Context, m Move) error {
	same, err := o.Same(m.From, m.To)
	if err != nil {
		return err
	}
	if same {
		return ErrSame
	}
	from, err := o.openExisting(ctx, m.From)
	if err != nil {
		return err
	}
	names := m.Names
	if len(names) == 0 {
		if names, err = from.List(ctx); err != nil || len(names) == 0 {
			return err
		}
	}
	if w, err := o.weaker(ctx, m.From, m.To); err != nil {
		return err
	} else if len(w.ReadableBy) > 0 {
		if err := m.Agree(w, names); err != nil {
			return err
		}
	}
	to, err := o.Open(ctx, m.To, true)
	if err != nil {
		return err
	}
	if err := Probe(ctx, to); err != nil {
		return err
	}
	for _, name := range names {
		if err := secrets.Move(ctx, m.Wrap(from), to, name); err != nil {
			return err
		}
		m.Moved(name)
	}
	return nil
}
