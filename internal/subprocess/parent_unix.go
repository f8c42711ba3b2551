//go:build unix

package subprocess

import (
	"fmt"
	"os"
	"strings"
)

// Parent returns the program of the parent process; "" if unknown. It needs
// Linux's /proc.
func Parent() string {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(comm))
}
