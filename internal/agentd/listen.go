package agentd

import (
	"errors"
	"fmt"
	"net"

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
		err = errors.New("an agent is there already")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return l, remove, nil
}
