package privsock

import (
	"errors"
	"net"
)

// Peer is the process at the other end of a Unix socket, as the kernel reports it.
type Peer struct {
	PID int    `json:"pid,omitempty"` // 0: unknown
	UID int    `json:"uid"`
	Exe string `json:"exe,omitempty"` // path of the executable; "": unknown
}

// ErrPeers: this system does not report the peer of a Unix socket, so a socket cannot
// be served.
var ErrPeers = errors.New("this system cannot identify the peer of a Unix socket")

// PeerOf returns the peer of a connection, as the kernel reports it.
func PeerOf(c *net.UnixConn) (peer Peer, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return peer, err
	}
	if cerr := raw.Control(func(fd uintptr) { peer, err = peerCred(int(fd)) }); cerr != nil {
		return peer, cerr
	}
	return peer, err
}
