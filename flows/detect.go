package flows

import (
	"fmt"
	"strings"
)

// Environment describes where a program runs. The caller sets all fields; this
// package detects nothing itself.
type Environment struct {
	GOOS      string              // runtime.GOOS
	Getenv    func(string) string // the environment; nil: empty
	CI        string              // the variable that indicates a CI job, from ci.Sign; "": not a CI job
	Container bool                // /.dockerenv or /run/.containerenv exists
	WSL       bool                // Windows Subsystem for Linux, according to /proc/version
	Interop   bool                // in WSL: Windows programs can be started
	Browser   bool                // the user set a browser command
	NoBrowser bool                // the user turned the browser off
	Relay     bool                // a relay is configured
	Laptop    bool                // the browser of the user's laptop can be opened over SSH
}

// Detection says which flows suit the environment.
type Detection struct {
	Browser bool     // a browser can be opened here
	Reason  string   // why, or why not; completes "because ..."
	Order   []string // names of flows, best first
	SSH     bool     // an SSH session in which mcp-login ssh would let the laptop open a browser
	Relay   bool     // a relay is configured
}

// Detect returns whether a browser can be opened here, and the order in which
// flows are tried: client credentials, a browser here, the device flow, a
// relay, then a browser on any machine with the redirect URL pasted.
func Detect(s Environment) Detection {
	d := Detection{Order: []string{"client-credentials"}, Relay: s.Relay}
	d.Browser, d.Reason = s.browser()
	d.SSH = !d.Browser && !s.NoBrowser && s.CI == "" && s.overSSH()
	if d.Browser {
		d.Order = append(d.Order, "browser")
	}
	d.Order = append(d.Order, "device")
	if s.Relay {
		d.Order = append(d.Order, "relay")
	}
	if (!d.Browser || s.Laptop) && s.CI == "" {
		// A browser cannot reach a CI job's loopback, and nobody can paste into it. With
		// a laptop, pasting is the fallback for a lost connection.
		d.Order = append(d.Order, "paste")
	}
	return d
}

// Why returns a one-line reason for choosing the flow.
func (d Detection) Why(flow string) string {
	switch flow {
	case "client-credentials":
		return "non-interactive credentials are configured"
	case "browser":
		return "because " + d.Reason
	case "device", "relay", "paste":
		if d.Browser {
			return "because the browser cannot be used"
		}
		if flow == "device" {
			return "because " + d.Reason
		}
		return fmt.Sprintf("because %s and the server offers no device flow", d.Reason)
	}
	return "as asked"
}

// browser reports whether a browser can be opened, and why. Settings take
// precedence over the environment.
func (s Environment) browser() (bool, string) {
	if s.NoBrowser {
		return false, "the browser is turned off"
	}
	if s.Browser {
		return true, "a browser command is configured"
	}
	if s.CI != "" {
		return false, "this is a CI job (" + s.CI + ")"
	}
	if s.Laptop {
		return true, "SSH can open your laptop's browser"
	}
	if s.overSSH() {
		return false, "this is an SSH session"
	}
	if name := s.remoteDevEnvironment(); name != "" {
		return false, "this is " + name
	}
	if s.Container || s.firstSet("container", "KUBERNETES_SERVICE_HOST") != "" {
		return false, "this is a container"
	}
	return s.desktop()
}

func (s Environment) overSSH() bool {
	return s.firstSet("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY") != ""
}

// desktop reports whether this is a desktop session.
func (s Environment) desktop() (bool, string) {
	switch {
	case s.GOOS == "darwin":
		return true, "this is a Mac"
	case s.GOOS == "windows":
		return s.windowsDesktop()
	case s.WSL && s.Interop:
		return true, "WSL has a browser through Windows"
	case s.GOOS == "android" || s.firstSet("TERMUX_VERSION") != "":
		return false, "opening a browser is not supported on Android"
	case s.firstSet("WAYLAND_DISPLAY") != "":
		return true, "a Wayland display is available"
	case s.firstSet("DISPLAY") == "":
		return false, "it has no display"
	case isForwarded(s.get("DISPLAY")):
		return false, "the display is forwarded from another machine"
	}
	return true, "an X display is available"
}

// windowsDesktop reports whether this is a Windows desktop session. OpenSSH
// sessions are detected earlier, by SSH_CONNECTION.
func (s Environment) windowsDesktop() (bool, string) {
	if strings.EqualFold(s.get("SESSIONNAME"), "Services") {
		return false, "this is a Windows service"
	}
	return true, "this is a Windows desktop"
}

// isForwarded reports whether the X display is on another host. ssh -X sets
// localhost:10 and up; a browser on it would run on this machine and be slow.
func isForwarded(display string) bool {
	host, _, _ := strings.Cut(display, ":")
	return host != "" && host != "unix"
}

// remoteDevEnvironment returns the name of a remote development environment; "" if
// none.
func (s Environment) remoteDevEnvironment() string {
	for _, v := range []struct{ variable, name string }{
		{"CODESPACES", "a GitHub Codespace"},
		{"GITPOD_WORKSPACE_ID", "a Gitpod workspace"},
		{"CLOUD_SHELL", "a cloud shell"},
		{"AZUREPS_HOST_ENVIRONMENT", "a cloud shell"},
		{"REMOTE_CONTAINERS", "a development container"},
		{"CODER_WORKSPACE_NAME", "a Coder workspace"},
		{"MOSH_CONNECTION", "a Mosh session"},
	} {
		if s.firstSet(v.variable) != "" {
			return v.name
		}
	}
	return ""
}

// firstSet returns the first variable whose value is not empty, 0, false or no.
func (s Environment) firstSet(names ...string) string {
	for _, name := range names {
		switch strings.ToLower(s.get(name)) {
		case "", "0", "false", "no":
		default:
			return name
		}
	}
	return ""
}

func (s Environment) get(name string) string {
	if s.Getenv == nil {
		return ""
	}
	return s.Getenv(name)
}
