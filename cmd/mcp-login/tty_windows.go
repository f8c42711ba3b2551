package main

import "os"

// openTTY opens the console's input, whatever the standard streams are
// redirected to.
func openTTY() (*os.File, error) { return os.OpenFile("CONIN$", os.O_RDWR, 0) }
