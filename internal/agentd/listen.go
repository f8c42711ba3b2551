package agentd

import (
	"errors"
	"fmt"
	"net"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Listen makes a socket of mode 0600, in a folder that is made with mode 0700
// if it is missing; one that others can write is refused, for they could put a
// socket of their own in place of this one. A socket that a dead agent left is
// replaced; where somebody still listens, or may, or something else than a
// socket is, it fails. Remove takes the socket away, unless another agent has
// replaced it.
func Listen(path string) (l *net.UnixListener, remove func(), err error) {
	if !privsock.PeersKnown {
		return nil, nil, privsock.ErrPeers
	}
	l, remove, err = privsock.Listen(path)
	if errors.Is(err, privsock.ErrTaken) {
		err = errors.New("an agent is there already")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return l, remove, nil
}
