//go:build unix

package main

import "os"

// openTTY opens the controlling terminal, whatever the standard streams are
// redirected to.
func openTTY() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }
