package privsock

import (
	"os"

	"golang.org/x/sys/unix"
)

// PeersKnown reports whether this system says who connects to a Unix socket.
const PeersKnown = true

// peerCred reads LOCAL_PEERCRED, and LOCAL_PEERPID for the log.
func peerCred(fd int) (Peer, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, os.NewSyscallError("LOCAL_PEERCRED", err)
	}
	pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	if err != nil {
		pid = 0 // not known
	}
	return Peer{PID: pid, UID: int(cred.Uid)}, nil
}
