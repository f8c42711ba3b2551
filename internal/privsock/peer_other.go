//go:build !linux && !darwin && !freebsd

package privsock

const PeersKnown = false

func peerCred(int) (Peer, error) { return Peer{}, ErrPeers }
