//go:build !unix || darwin

package keyring

// reachable is for systems whose keyring is behind a bus.
func reachable() error { return nil }

// because says why a call failed.
func because(err error) string { return err.Error() }
