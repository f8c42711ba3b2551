package agentd

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Listen makes a private socket with [privsock.Listen], on systems where the
// kernel reports who connects.
func Listen(path string) (l *net.UnixListener, remove func(), err error) {
	if !privsock.PeersKnown {
		return nil, nil, privsock.ErrPeers
	}
	l, remove, err = privsock.Listen(path)
	if errors.Is(err, privsock.ErrTaken) {
		err = errors.New("an agent is already running there")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return l, remove, nil
}

// ListenAll makes the socket of the agent, and a limited one unless forward is "".
// Remove takes away what was made, even if an error is returned.
func ListenAll(path, forward string, allow []string) (sockets []Socket, remove func(), err error) {
	var made []func()
	remove = func() {
		for _, f := range made {
			f()
		}
	}
	wanted := []Socket{{Name: "agent", Path: path}}
	if forward != "" {
		wanted = append(wanted, Socket{Name: ForwardName, Path: forward, Allow: allow})
	}
	for _, s := range wanted {
		if s.Path, err = filepath.Abs(s.Path); err != nil {
			return nil, remove, err
		}
		l, gone, err := Listen(s.Path)
		if err != nil {
			return nil, remove, err
		}
		made = append(made, gone)
		s.Listener = l
		sockets = append(sockets, s)
	}
	return sockets, remove, nil
}

// Sockets returns the sockets that a service manager passed, else makes those at
// path and forward. Remove takes away what was made, even if an error is returned.
func Sockets(getenv func(string) string, allow []string, forward string, path func() (string, error)) (sockets []Socket, remove func(), err error) {
	remove = func() {}
	if sockets, err = Inherited(getenv, allow); err != nil {
		return nil, remove, exit.Usage(err) // not the network's fault, so not to be tried again
	}
	if len(sockets) > 0 {
		return sockets, remove, nil
	}
	if (forward == "") != (len(allow) == 0) {
		return nil, remove, exit.Usagef("agent: --forward-socket and --allow must be used together")
	}
	own, err := path()
	if err != nil {
		return nil, remove, err
	}
	return ListenAll(own, forward, allow)
}
