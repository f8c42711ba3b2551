//go:build unix && !darwin

package keyring

import (
	"fmt"

	"github.com/godbus/dbus/v5"
)

// reachable refuses where there is no session bus. go-keyring would start one
// then, with dbus-launch: a daemon that nobody asked for, without any keyring.
func reachable() error {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return fmt.Errorf("no session bus: %w", err)
	}
	return conn.Close()
}
