package flows

import (
	"fmt"
	"strings"
)

// Surroundings is what a program knows of where it runs. Nothing is looked up:
// the caller passes all of it in.
type Surroundings struct {
	GOOS      string              // runtime.GOOS
	Getenv    func(string) string // the environment; nil: empty
	CI        string              // the variable that shows a CI job, as ci.Sign has it; "": this is none
	Container bool                // inside one, as /.dockerenv or /run/.containerenv tell
	WSL       bool                // under Windows, as /proc/version tells
	Interop   bool                // in WSL: Windows programs can be started
	Browser   bool                // the user named a command that opens one, for this login
	NoBrowser bool                // the user wants none opened
	Relay     bool                // the user named a relay
	Laptop    bool                // the browser of the user's laptop can be opened, through SSH
}

// Detection says which flows suit the surroundings.
type Detection struct {
	Browser bool     // a browser can be opened here
	Reason  string   // why, or why not, to follow "because"
	Order   []string // names of flows, best first
	SSH     bool     // an SSH session whose laptop could open a browser, and does not yet
	Relay   bool     // the user named a relay
}

// Detect tells whether a browser can be opened here, and the order in which
// flows are tried: credentials that need no person, a browser here, a device
// anywhere, then a browser anywhere with its answer pasted.
func Detect(s Surroundings) Detection {
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
		// Nobody can reach a CI job's loopback, nor paste into it. A laptop may be lost.
		d.Order = append(d.Order, "paste")
	}
	return d
}

// Why says in one line why a flow was chosen from the order.
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

// browser goes from what was said, over what forbids one, to what shows one.
func (s Surroundings) browser() (bool, string) {
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
	if name := s.remoteDesk(); name != "" {
		return false, "this is " + name
	}
	if s.Container || s.isSet("container", "KUBERNETES_SERVICE_HOST") != "" {
		return false, "this is a container"
	}
	return s.desktop()
}

func (s Surroundings) overSSH() bool { return s.isSet("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY") != "" }

// desktop looks for a screen.
func (s Surroundings) desktop() (bool, string) {
	switch {
	case s.GOOS == "darwin":
		return true, "this is a Mac"
	case s.GOOS == "windows":
		return s.windows()
	case s.WSL && s.Interop:
		return true, "WSL has a browser through Windows"
	case s.GOOS == "android" || s.isSet("TERMUX_VERSION") != "":
		return false, "opening a browser is not supported on Android"
	case s.isSet("WAYLAND_DISPLAY") != "":
		return true, "a Wayland display is available"
	case s.isSet("DISPLAY") == "":
		return false, "it has no display"
	case forwarded(s.get("DISPLAY")):
		return false, "the display is forwarded from another machine"
	}
	return true, "an X display is available"
}

// windows leaves out sessions that have no desktop: services, and OpenSSH's,
// which set SSH_CONNECTION.
func (s Surroundings) windows() (bool, string) {
	if strings.EqualFold(s.get("SESSIONNAME"), "Services") {
		return false, "this is a Windows service"
	}
	return true, "this is a Windows desktop"
}

// forwarded reports an X display of another host: ssh -X sets localhost:10 and
// up, and a browser sent through it would be this machine's, slowly.
func forwarded(display string) bool {
	host, _, _ := strings.Cut(display, ":")
	return host != "" && host != "unix"
}

// remoteDesk names a development environment whose browser is somewhere else.
func (s Surroundings) remoteDesk() string {
	for _, v := range []struct{ variable, name string }{
		{"CODESPACES", "a GitHub Codespace"},
		{"GITPOD_WORKSPACE_ID", "a Gitpod workspace"},
		{"CLOUD_SHELL", "a cloud shell"},
		{"AZUREPS_HOST_ENVIRONMENT", "a cloud shell"},
		{"REMOTE_CONTAINERS", "a development container"},
		{"CODER_WORKSPACE_NAME", "a Coder workspace"},
		{"MOSH_CONNECTION", "a Mosh session"},
	} {
		if s.isSet(v.variable) != "" {
			return v.name
		}
	}
	return ""
}

// isSet returns the first variable that is set to something other than no.
func (s Surroundings) isSet(names ...string) string {
	for _, name := range names {
		switch strings.ToLower(s.get(name)) {
		case "", "0", "false", "no":
		default:
			return name
		}
	}
	return ""
}

func (s Surroundings) get(name string) string {
	if s.Getenv == nil {
		return ""
	}
	return s.Getenv(name)
}
