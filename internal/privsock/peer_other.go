//go:build !linux && !darwin && !freebsd

package privsock

// PeersKnown reports whether this system says who connects to a Unix socket.
const PeersKnown = false

func peerCred(int) (Peer, error) { return Peer{}, ErrPeers }
