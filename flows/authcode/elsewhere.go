package authcode

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/mcp-login/mcp-login/flows"
)

// Elsewhere is a browser on another machine, where the redirect is received too.
// Its machine listens in place of this one, so that both may be the same.
type Elsewhere interface {
	// Reserve binds a port of a loopback host there, and returns it. Port 0 is any
	// free one. If the port is taken, the error wraps [syscall.EADDRINUSE].
	Reserve(ctx context.Context, host string, port int) (int, error)

	// Open starts a browser there.
	Open(ctx context.Context, url string) error

	// Answer waits for the query at which that browser ended. An error that wraps
	// [flows.ErrDenied] ends the sign-in.
	Answer(ctx context.Context) (query string, err error)

	// Close frees the port and ends an open request.
	Close() error
}

// bind listens where the browser ends: here, or on the machine of Elsewhere.
func (f *Flow) bind(t target) (*listener, error) {
	if f.Elsewhere == nil || !t.local() {
		return t.listen()
	}
	port, err := f.Elsewhere.Reserve(context.Background(), t.host, t.port) // bounds itself
	switch {
	case busy(err):
		return nil, &PortError{Port: t.port, Err: err}
	case err != nil:
		return nil, fmt.Errorf("%w: %w", err, flows.ErrUnsupported)
	}
	return &listener{target: t.at(port), release: f.Elsewhere.Close}, nil
}

// readElsewhere takes the query that the other machine received. It waits for no
// second one, so if that machine is lost, or sends something else, the next flow
// has its turn.
func (a *attempt) readElsewhere(ctx context.Context, e Elsewhere) {
	raw, err := e.Answer(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		var q url.Values
		if q, err = url.ParseQuery(raw); err != nil {
			err = errQuery // the reason may hold a code
		} else {
			err = a.accept(q)
		}
	}
	if err != nil && !errors.Is(err, flows.ErrDenied) {
		err = fmt.Errorf("%w: %w", err, flows.ErrUnsupported)
	}
	if err != nil {
		_ = a.take(answer{err: err}) // only the first counts
	}
}
