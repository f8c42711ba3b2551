package browser

import (
	"bytes"
	"os"
	"runtime"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
)

// Environment returns the environment of this machine for flows.Detect. The
// caller adds the user's choices and whether a terminal is available.
func Environment(getenv func(string) string) flows.Environment {
	s := flows.Environment{
		GOOS: runtime.GOOS, Getenv: getenv, CI: ci.Sign(getenv),
		Container: exists("/.dockerenv") || exists("/run/.containerenv"),
		WSL:       isWSL(),
	}
	s.Interop = s.WSL && (exists("/proc/sys/fs/binfmt_misc/WSLInterop") || exists("/proc/sys/fs/binfmt_misc/WSLInterop-late"))
	return s
}

// isWSL reports whether this is WSL, by the version of its kernel.
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
