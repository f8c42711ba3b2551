package privsock

import (
	"os"

	"golang.org/x/sys/unix"
)

// PeersKnown reports whether this system says who connects to a Unix socket.
const PeersKnown = true

// solLocal is the level of the options of Unix sockets (unix(4)).
const solLocal = 0

// peerCred reads LOCAL_PEERCRED.
func peerCred(fd int) (Peer, error) {
	cred, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, os.NewSyscallError("LOCAL_PEERCRED", err)
	}
	return Peer{UID: int(cred.Uid)}, nil
}
