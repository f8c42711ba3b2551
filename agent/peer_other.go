//go:build !linux && !darwin && !freebsd

package agent

const peersKnown = false

func peerCred(int) (Peer, error) { return Peer{}, ErrPeers }
