package agentd

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Listen listens on a private socket with [privsock.Listen], on systems where
// the kernel reports the peer.
func Listen(path string) (l *net.UnixListener, remove func(), err error) {
	if !privsock.PeersKnown {
		return nil, nil, privsock.ErrPeers
	}
	l, remove, err = privsock.Listen(path)
	if errors.Is(err, privsock.ErrTaken) {
		return nil, nil, &exit.Error{
			Code: exit.Failed, Text: "listen at " + path + ": an agent is already running there",
			Hint: suggest.MCPLogin("agent", "status").With("--agent-sock", path).String(),
		}
	}
	if err != nil {
		err = fmt.Errorf("listen at %s: %w", path, err)
	}
	if _, unusable := errors.AsType[*privsock.PathError](err); unusable {
		err = exit.Usage(err)
	}
	return l, remove, err
}

// ListenAll listens on the socket of the agent, and on a limited one unless
// forward is "". Remove removes the sockets; call it even after an error.
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

// sockets returns the sockets that a service manager passed, else listens on the
// configured ones. Remove removes them; call it even after an error.
func (s Setup) sockets() (sockets []Socket, remove func(), err error) {
	remove = func() {}
	if sockets, err = Inherited(s.Getenv, s.Allow); err != nil {
		return nil, remove, exit.Usage(err) // a permanent error, although it comes from package net
	}
	if len(sockets) > 0 {
		return sockets, remove, nil
	}
	if (s.Forward == "") != (len(s.Allow) == 0) {
		return nil, remove, exit.Usagef("agent: --forward-socket and --allow must be used together")
	}
	path, err := s.Socket()
	if err != nil {
		return nil, remove, err
	}
	if sockets, remove, err = ListenAll(path, s.Forward, s.Allow); err != nil {
		return nil, remove, err
	}
	for _, made := range sockets {
		s.Say("%s socket: %s", made.Name, made.Path)
	}
	s.Say("next: export MCP_LOGIN_AGENT_SOCK=%s", suggest.Command{sockets[0].Path})
	return sockets, remove, nil
}
