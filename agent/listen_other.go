//go:build !linux && !darwin && !freebsd

package agent

// Nothing listens where peers are not known.

func checkFolder(string) error { return ErrPeers }

func lockFolder(string) (unlock func(), err error) { return nil, ErrPeers }
