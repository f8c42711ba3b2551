//go:build e2e

// Guest is what TestSuspend has run in a virtual machine, as the
// first process and with nothing beside it but the programs mcp-login and demo.
// It sets the clock and suspends the machine, as no test may do to the machine
// that it runs on, and looks at what the agent issues then.
//
// Each step is one line on the second serial port that begins with ok or FAIL.
// The first port is the console, with the kernel's talk and the programs'.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// patience is for how long the machine runs at most.
const machineTimeout = 4 * time.Minute

func main() {
	time.AfterFunc(machineTimeout, powerOff)
	defer powerOff() // the kernel takes it badly when its first process ends
	if err := prepareSystem(); err != nil {
		fmt.Println("bring up the machine:", err)
		return
	}
	port, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := scenario{report: port}
	if err := s.run(); err != nil {
		fmt.Fprintln(port, "FAIL", strings.ReplaceAll(err.Error(), "\n", " | "))
	}
}

// bringUp makes of a bare kernel what the programs need.
func prepareSystem() error {
	for path, kind := range map[string]string{"/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs"} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(kind, path, kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", path, err)
		}
	}
	return errors.Join(os.Setenv("HOME", home), os.Setenv("PATH", "/"), enableLoopback())
}

// loopbackUp has 127.0.0.1 work. Its address comes by itself.
func enableLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func powerOff() {
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("power off:", err)
	}
}

// moveClock sets the wall clock by that much.
func moveClock(by time.Duration) error {
	to := unix.NsecToTimespec(time.Now().Add(by).UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &to)
}

// suspend has the machine sleep in its memory (ACPI S3) until the alarm of its
// real time clock.
func suspend(d time.Duration) error {
	begin := time.Now()
	err := os.WriteFile("/sys/class/rtc/rtc0/wakealarm", fmt.Appendf(nil, "+%d", int(d.Seconds())), 0)
	if err == nil {
		err = os.WriteFile("/sys/power/state", []byte("mem"), 0)
	}
	awake, passed := time.Since(begin), time.Now().Round(0).Sub(begin.Round(0))
	if slept := passed - awake; err == nil && slept < d-5*time.Second {
		return fmt.Errorf("the machine slept for %s, not %s", slept, d)
	}
	return err
}

// start starts a program that runs to the end of the machine, and returns the
// first line it writes that holds word.
func start(word string, args ...string) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return "", err
	}
	_ = w.Close() // it is the program's
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.Contains(lines.Text(), word) {
			go func() {
				for lines.Scan() {
					fmt.Println(lines.Text())
				}
			}()
			return lines.Text(), nil
		}
	}
	return "", fmt.Errorf("%s ended: %w", args[0], cmd.Wait())
}

// output runs a program to its end and returns what it answers.
func output(args ...string) ([]byte, error) {
	out, err := exec.Command(args[0], args[1:]...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}
