package main

import "net"

// listenPrivately makes a Unix socket, which on Windows has the access list of
// its folder.
func listenPrivately(path string) (net.Listener, error) { return net.Listen("unix", path) }
