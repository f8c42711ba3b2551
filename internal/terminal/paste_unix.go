//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// keyWait is how long a read waits for a key: VTIME's unit.
const keyWait = 100 * time.Millisecond

// keys reads a terminal key by key, without echo. Lines can then be longer than
// the 4,095 characters that a terminal keeps for line editing. Ctrl-C and Ctrl-Z
// still send signals.
type keys struct {
	tty *os.File
	out io.Writer
	fd  int
	old unix.Termios
	raw unix.Termios
}

func newKeys(t tty) *keys { return &keys{tty: t.keys, out: t.screen, fd: int(t.keys.Fd())} }

func (k *keys) begin() error {
	if !foreground(k.tty) {
		return errNoPaste
	}
	old, err := unix.IoctlGetTermios(k.fd, getTermios)
	if err != nil {
		return err
	}
	k.old, k.raw = *old, *old
	k.raw.Lflag &^= unix.ICANON | unix.ECHO
	k.raw.Cc[unix.VMIN], k.raw.Cc[unix.VTIME] = 0, 1
	return unix.IoctlSetTermios(k.fd, setTermios, &k.raw)
}

func (k *keys) escapes() bool { return true }

// read returns the keys that were typed, or none after keyWait. In the
// background, where the kernel would stop this process, it only waits. It sets
// the terminal mode each time, because a shell may have changed it.
func (k *keys) read(buf []byte) (int, error) {
	if !foreground(k.tty) {
		time.Sleep(keyWait)
		return 0, nil
	}
	if err := unix.IoctlSetTermios(k.fd, setTermios, &k.raw); err != nil {
		return 0, err
	}
	start := time.Now()
	n, err := unix.Read(k.fd, buf)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		n, err = 0, nil
	}
	if n == 0 && err == nil {
		time.Sleep(keyWait - time.Since(start)) // a nonblocking terminal returns immediately
	}
	return max(n, 0), err
}

// end restores the terminal. It is best effort: the terminal may be closed.
func (k *keys) end() { _ = unix.IoctlSetTermios(k.fd, setTermios, &k.old) }
