//go:build !unix || darwin

package keyring

// checkSessionBus does nothing: the keyring of this system does not use D-Bus.
func checkSessionBus() error { return nil }

// because says why a call failed.
func because(err error) string { return err.Error() }
