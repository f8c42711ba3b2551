//go:build unix

package stores

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// writableFolder checks write permission without writing anything.
func writableFolder(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s cannot be written: %w", dir, err)
	}
	return nil
}
