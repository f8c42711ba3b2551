//go:build unix

package subprocess

import (
	"fmt"
	"os"
	"strings"
)

// Parent returns the program that started this one, "" if that cannot be seen.
// It is seen on systems with Linux's /proc.
func Parent() string {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(comm))
}
