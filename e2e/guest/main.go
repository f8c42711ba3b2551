//go:build e2e

// Guest is the program that TestSuspend runs as the first process of a virtual machine,
// with only the programs mcp-login and demo. It sets the clock and suspends the
// machine, which a test must not do to its own machine, and checks what the agent
// issues afterward.
//
// Each step prints a line on the second serial port that begins with ok or FAIL. The
// first port is the console, with the messages of the kernel and the programs.
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

// machineTimeout is the maximum time that the machine runs.
const machineTimeout = 4 * time.Minute

func main() {
	time.AfterFunc(machineTimeout, powerOff)
	defer powerOff() // the kernel panics if its first process exits
	if err := prepareSystem(); err != nil {
		fmt.Println("prepare the system:", err)
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

// prepareSystem mounts the file systems that the programs need, and enables the
// network.
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

// enableLoopback brings up the loopback interface. The kernel assigns its address.
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

// moveClock changes the wall clock by this time.
func moveClock(by time.Duration) error {
	to := unix.NsecToTimespec(time.Now().Add(by).UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &to)
}

// suspend suspends the machine to RAM (ACPI S3) until the alarm of its real-time clock.
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

// start starts a program that runs until the machine is powered off, and returns its
// first line of output that contains word.
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
	_ = w.Close() // the program has its own copy
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

// output runs a program and returns its standard output.
func output(args ...string) ([]byte, error) {
	out, err := exec.Command(args[0], args[1:]...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}
