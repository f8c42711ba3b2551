//go:build unix

package main

import (
	"net"
	"syscall"
)

// listenPrivately makes a Unix socket of mode 0600: it must not be open to
// others for a moment, so the mode is set before the socket is made.
func listenPrivately(path string) (net.Listener, error) {
	defer syscall.Umask(syscall.Umask(0o177))
	return net.Listen("unix", path)
}
