package privsock

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// PeersKnown reports whether this system says who connects to a Unix socket.
const PeersKnown = true

// peerCred reads SO_PEERCRED (unix(7)), as it was when the peer connected.
func peerCred(fd int) (Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, os.NewSyscallError("SO_PEERCRED", err)
	}
	// The process may have exited and its PID been reused, so use this only for
	// the log.
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", cred.Pid))
	if err != nil {
		exe = ""
	}
	return Peer{PID: int(cred.Pid), UID: int(cred.Uid), Exe: exe}, nil
}
