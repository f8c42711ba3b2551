package browser

import (
	"bytes"
	"os"
	"runtime"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
)

// Environment returns what this machine says about whether a browser can be
// opened here. The caller adds what its user chose and whether it has a terminal.
func Environment(getenv func(string) string) flows.Environment {
	s := flows.Environment{
		GOOS: runtime.GOOS, Getenv: getenv, CI: ci.Sign(getenv),
		Container: exists("/.dockerenv") || exists("/run/.containerenv"),
		WSL:       isWSL(),
	}
	s.Interop = s.WSL && (exists("/proc/sys/fs/binfmt_misc/WSLInterop") || exists("/proc/sys/fs/binfmt_misc/WSLInterop-late"))
	return s
}

// isWSL reports whether this is Linux under Windows. Both of its kernels say
// so.
func isWSL() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && bytes.Contains(bytes.ToLower(release), []byte("microsoft"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
