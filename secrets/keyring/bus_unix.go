//go:build unix && !darwin

package keyring

import (
	"errors"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

// errNoBus means that no desktop session is running here, or none that this process can
// find.
var errNoBus = errors.New("no session bus")

// checkSessionBus returns an error without a D-Bus session bus. go-keyring would
// then start one with dbus-launch: an unwanted daemon without any keyring.
func checkSessionBus() error {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoBus, err)
	}
	return conn.Close()
}

// because says what an error of D-Bus means for the keyring.
func because(err error) string {
	if errors.Is(err, errNoBus) {
		return "no desktop session is running here"
	}
	answer, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return err.Error()
	}
	switch name := answer.Name; {
	case strings.HasSuffix(name, ".ServiceUnknown"), strings.HasSuffix(name, ".NameHasNoOwner"), strings.Contains(name, ".Spawn."):
		return "no keyring program is running in this desktop session"
	case strings.HasSuffix(name, ".NoReply"), strings.HasSuffix(name, ".Timeout"), strings.HasSuffix(name, ".TimedOut"):
		return "it did not answer"
	case strings.HasSuffix(name, ".IsLocked"):
		return "it is locked"
	case strings.HasSuffix(name, ".AccessDenied"):
		return "it denied access"
	}
	return err.Error()
}
