package main

import (
	"bytes"
	"os"
	"runtime"

	"github.com/mcp-login/mcp-login/flows"
)

// surroundings looks at where this program runs.
func (e *env) surroundings(o browserOptions) flows.Surroundings {
	s := flows.Surroundings{
		GOOS: runtime.GOOS, Getenv: e.getenv, Browser: o.command != "", NoBrowser: o.never,
		Container: exists("/.dockerenv") || exists("/run/.containerenv"),
		WSL:       isWSL(),
	}
	s.Interop = s.WSL && (exists("/proc/sys/fs/binfmt_misc/WSLInterop") || exists("/proc/sys/fs/binfmt_misc/WSLInterop-late"))
	s.Terminal = e.canAsk()
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
