//go:build unix && !darwin

package keyring

import (
	"fmt"

	"github.com/godbus/dbus/v5"
)

// checkSessionBus returns an error without a D-Bus session bus. go-keyring would
// then start one with dbus-launch: an unwanted daemon without any keyring.
func checkSessionBus() error {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return fmt.Errorf("no session bus: %w", err)
	}
	return conn.Close()
}
