package file

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	kernelType = "user" // a key type that users can read back: see keyrings(7)

	// All rights for the possessor of the key, and view, read and search for
	// any process of this user: the session keyring of a service or of another
	// login does not link to the user keyring, so its processes are not
	// possessors.
	kernelPerm = 0x3f0b0000
)

func kernelName(id string) string { return "mcp-login:" + id }

func kernelGet(id string) ([]byte, error) {
	serial, err := kernelSearch(id)
	if err != nil {
		return nil, err
	}
	key := make([]byte, keySize)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, serial, key, 0)
	if err != nil {
		return nil, kernelError("read", err)
	}
	if n != keySize {
		return nil, errNotRemembered
	}
	return key, nil
}

// kernelSet creates the key in the keyring of this thread, sets its rights and
// timeout, and only then links it to the user keyring: if the process is killed
// in between, no key without a timeout remains.
func kernelSet(id string, key []byte, ttl time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	serial, err := unix.AddKey(kernelType, kernelName(id), key, unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return kernelError("add", err)
	}
	_, permErr := unix.KeyctlInt(unix.KEYCTL_SETPERM, serial, kernelPerm, 0, 0)
	_, ttlErr := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, serial, int(max(ttl/time.Second, 1)), 0, 0)
	err = errors.Join(permErr, ttlErr)
	if err == nil {
		_, err = unix.KeyctlInt(unix.KEYCTL_LINK, serial, unix.KEY_SPEC_USER_KEYRING, 0, 0)
	}
	_, unlinkErr := unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
	return kernelError("store", errors.Join(err, unlinkErr))
}

func kernelDrop(id string) error {
	serial, err := kernelSearch(id)
	if err != nil {
		return err
	}
	_, err = unix.KeyctlInt(unix.KEYCTL_INVALIDATE, serial, 0, 0, 0)
	return kernelError("invalidate", err)
}

func kernelSearch(id string) (serial int, err error) {
	serial, err = unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, kernelType, kernelName(id), 0)
	return serial, kernelError("search", err)
}

// kernelError distinguishes a missing key from a kernel or a container without
// keyrings.
func kernelError(step string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYEXPIRED), errors.Is(err, unix.EKEYREVOKED):
		return errNotRemembered
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %s key: %w", ErrUnsupported, step, err)
	}
	return fmt.Errorf("%s key in kernel keyring: %w", step, err)
}
