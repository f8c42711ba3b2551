package authcode

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/mcp-login/mcp-login/flows"
)

// RemoteBrowser is a browser on another machine that also receives the redirect:
// that machine listens on the redirect URL.
type RemoteBrowser interface {
	// Reserve binds a port of a loopback host on that machine and returns it. Port
	// 0 means any free port. If the port is in use, the error wraps
	// [syscall.EADDRINUSE].
	Reserve(ctx context.Context, host string, port int) (int, error)

	// Open opens the URL in that browser.
	Open(ctx context.Context, url string) error

	// Answer waits for the redirect and returns its query. An error that wraps
	// [flows.ErrDenied] ends the sign-in.
	Answer(ctx context.Context) (query string, err error)

	// Close releases the port and cancels Answer.
	Close() error
}

// bind listens on the redirect URL: on this machine, or on that of the remote
// browser.
func (f *Flow) bind(t target) (*listener, error) {
	if f.Remote == nil || !t.local() {
		return t.listen()
	}
	port, err := f.Remote.Reserve(context.Background(), t.host, t.port) // Reserve has its own timeout
	switch {
	case isAddrInUse(err):
		return nil, &PortError{Port: t.port, Err: err}
	case err != nil:
		return nil, fmt.Errorf("%w: %w", err, flows.ErrUnsupported)
	}
	return &listener{target: t.at(port), release: f.Remote.Close}, nil
}

// awaitRemote waits for the response from the remote browser. It does not retry:
// if the connection is lost or the response is invalid, the next flow is tried.
func (a *attempt) awaitRemote(ctx context.Context, e RemoteBrowser) {
	raw, err := e.Answer(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		var q url.Values
		if q, err = url.ParseQuery(raw); err != nil {
			err = errQuery // the parse error may contain a code
		} else {
			err = a.accept(q)
		}
	}
	if err != nil && !errors.Is(err, flows.ErrDenied) {
		err = fmt.Errorf("%w: %w", err, flows.ErrUnsupported)
	}
	if err != nil {
		_ = a.deliver(result{err: err}) // best effort: only the first result counts
	}
}
