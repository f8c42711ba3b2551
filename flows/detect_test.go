package flows_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		s      flows.Environment
		env    string
		want   bool
		reason string
	}{
		{"Linux, X", flows.Environment{GOOS: "linux"}, "DISPLAY=:0", true, "X display"},
		{"Linux, X by socket", flows.Environment{GOOS: "linux"}, "DISPLAY=unix:0", true, "X display"},
		{"Linux, Wayland", flows.Environment{GOOS: "linux"}, "WAYLAND_DISPLAY=wayland-0", true, "Wayland"},
		{"Linux, Wayland and X", flows.Environment{GOOS: "linux"}, "WAYLAND_DISPLAY=wayland-0 DISPLAY=:1", true, "Wayland"},
		{"Linux, desktop without terminal", flows.Environment{GOOS: "linux"}, "DISPLAY=:0", true, "X display"},
		{"Linux console", flows.Environment{GOOS: "linux"}, "TERM=linux", false, "no display"},
		{"Linux, dumb terminal in Emacs on X", flows.Environment{GOOS: "linux"}, "TERM=dumb DISPLAY=:0", true, "X display"},
		{"Linux, nothing set", flows.Environment{GOOS: "linux"}, "", false, "no display"},
		{"Linux, cron", flows.Environment{GOOS: "linux"}, "SHELL=/bin/sh", false, "no display"},
		{"Linux, empty DISPLAY", flows.Environment{GOOS: "linux"}, "DISPLAY=", false, "no display"},
		{"SSH", flows.Environment{GOOS: "linux"}, "SSH_CONNECTION=10.0.0.1_5_10.0.0.2_22", false, "SSH"},
		{"SSH with the laptop's browser", flows.Environment{GOOS: "linux", Laptop: true}, "SSH_CONNECTION=10.0.0.1_5_10.0.0.2_22", true, "laptop"},
		{"laptop's browser disabled", flows.Environment{GOOS: "linux", Laptop: true, NoBrowser: true}, "", false, "turned off"},
		{"CI job with a laptop's browser", flows.Environment{GOOS: "linux", Laptop: true}, "CI=true", false, "CI"},
		{"SSH without terminal", flows.Environment{GOOS: "linux"}, "SSH_CLIENT=10.0.0.1_5_22", false, "SSH"},
		{"SSH with X forwarding", flows.Environment{GOOS: "linux"}, "SSH_CONNECTION=x DISPLAY=localhost:10.0", false, "SSH"},
		{"SSH to a desktop", flows.Environment{GOOS: "linux"}, "SSH_TTY=/dev/pts/1 DISPLAY=:0", false, "SSH"},
		{"tmux inside SSH", flows.Environment{GOOS: "linux"}, "SSH_CONNECTION=x TMUX=/tmp/t TERM=tmux-256color", false, "SSH"},
		{"sudo after ssh -X", flows.Environment{GOOS: "linux"}, "DISPLAY=localhost:10.0", false, "forwarded"},
		{"display on another host", flows.Environment{GOOS: "linux"}, "DISPLAY=10.0.0.7:0", false, "forwarded"},
		{"Mosh", flows.Environment{GOOS: "linux"}, "MOSH_CONNECTION=1", false, "Mosh"},
		{"container", flows.Environment{GOOS: "linux", Container: true}, "", false, "container"},
		{"container with a display", flows.Environment{GOOS: "linux", Container: true}, "DISPLAY=:0", false, "container"},
		{"systemd-nspawn", flows.Environment{GOOS: "linux"}, "container=systemd-nspawn", false, "container"},
		{"Kubernetes pod", flows.Environment{GOOS: "linux"}, "KUBERNETES_SERVICE_HOST=10.0.0.1", false, "container"},
		{"development container", flows.Environment{GOOS: "linux", Container: true}, "REMOTE_CONTAINERS=true", false, "development container"},
		{"Codespace", flows.Environment{GOOS: "linux", Container: true}, "CODESPACES=true", false, "Codespace"},
		{"Gitpod", flows.Environment{GOOS: "linux"}, "GITPOD_WORKSPACE_ID=x", false, "Gitpod"},
		{"cloud shell", flows.Environment{GOOS: "linux"}, "CLOUD_SHELL=true", false, "cloud shell"},
		{"WSL", flows.Environment{GOOS: "linux", WSL: true, Interop: true}, "WSL_DISTRO_NAME=Debian", true, "WSL"},
		{"WSL with WSLg", flows.Environment{GOOS: "linux", WSL: true, Interop: true}, "WAYLAND_DISPLAY=wayland-0", true, "WSL"},
		{"WSL without interop", flows.Environment{GOOS: "linux", WSL: true}, "", false, "no display"},
		{"WSL without interop, with WSLg", flows.Environment{GOOS: "linux", WSL: true}, "DISPLAY=:0", true, "X display"},
		{"SSH into WSL", flows.Environment{GOOS: "linux", WSL: true, Interop: true}, "SSH_CONNECTION=x", false, "SSH"},
		{"container in WSL", flows.Environment{GOOS: "linux", WSL: true, Container: true}, "", false, "container"},
		{"macOS", flows.Environment{GOOS: "darwin"}, "", true, "Mac"},
		{"macOS, agent without terminal", flows.Environment{GOOS: "darwin"}, "", true, "Mac"},
		{"macOS over SSH", flows.Environment{GOOS: "darwin"}, "SSH_CONNECTION=x", false, "SSH"},
		{"Windows", flows.Environment{GOOS: "windows"}, "SESSIONNAME=Console", true, "Windows desktop"},
		{"Windows, remote desktop", flows.Environment{GOOS: "windows"}, "SESSIONNAME=RDP-Tcp#3", true, "Windows desktop"},
		{"Windows service", flows.Environment{GOOS: "windows"}, "SESSIONNAME=Services", false, "service"},
		{"Windows over SSH", flows.Environment{GOOS: "windows"}, "SSH_CONNECTION=x", false, "SSH"},
		{"FreeBSD, X", flows.Environment{GOOS: "freebsd"}, "DISPLAY=:0.0", true, "X display"},
		{"Termux", flows.Environment{GOOS: "android"}, "TERMUX_VERSION=0.118", false, "Android"},
		{"GitHub Actions", flows.Environment{GOOS: "linux"}, "CI=true GITHUB_ACTIONS=true", false, "CI job (GITHUB_ACTIONS)"},
		{"GitHub Actions on macOS", flows.Environment{GOOS: "darwin"}, "CI=true GITHUB_ACTIONS=true", false, "CI job"},
		{"GitLab CI", flows.Environment{GOOS: "linux", Container: true}, "GITLAB_CI=true", false, "CI job (GITLAB_CI)"},
		{"Azure Pipelines", flows.Environment{GOOS: "windows"}, "TF_BUILD=True", false, "CI job"},
		{"Jenkins", flows.Environment{GOOS: "linux"}, "JENKINS_URL=https://ci.test/ BUILD_ID=7", false, "CI job"},
		{"other CI", flows.Environment{GOOS: "linux"}, "CI=1 DISPLAY=:99", false, "CI job (CI)"},
		{"CI with a browser command", flows.Environment{GOOS: "linux", Browser: true}, "CI=1", true, "command"},
		{"CI=false", flows.Environment{GOOS: "linux"}, "CI=false DISPLAY=:0", true, "X display"},
		{"desktop, browser disabled", flows.Environment{GOOS: "darwin", NoBrowser: true}, "", false, "turned off"},
		{"browser command over SSH", flows.Environment{GOOS: "linux", Browser: true}, "SSH_CONNECTION=x", true, "command"},
		{"browser command in a container", flows.Environment{GOOS: "linux", Container: true, Browser: true}, "", true, "command"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.s.Getenv = lookup(tt.env)
			tt.s.CI = ci.Sign(tt.s.Getenv)
			d := flows.Detect(tt.s)
			if d.Browser != tt.want || !strings.Contains(d.Reason, tt.reason) {
				t.Errorf("Detect = %v, %q; want %v, %q", d.Browser, d.Reason, tt.want, tt.reason)
			}
			order := []string{"client-credentials", "device", "paste"}
			switch {
			case tt.want && tt.s.Laptop: // the laptop may disconnect
				order = []string{"client-credentials", "browser", "device", "paste"}
			case tt.want:
				order = []string{"client-credentials", "browser", "device"}
			case strings.Contains(tt.reason, "CI"):
				order = []string{"client-credentials", "device"}
			}
			if !slices.Equal(d.Order, order) {
				t.Errorf("Order = %q, want %q", d.Order, order)
			}
		})
	}
}

// lookup parses "A=1 B=2" into a getenv function.
func lookup(env string) func(string) string {
	return func(name string) string {
		for _, pair := range strings.Fields(env) {
			if k, v, _ := strings.Cut(pair, "="); k == name {
				return v
			}
		}
		return ""
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	desktop := flows.Detect(flows.Environment{GOOS: "darwin"})
	ssh := flows.Detect(flows.Environment{GOOS: "linux", Getenv: lookup("SSH_TTY=x")})
	for _, tt := range []struct {
		d          flows.Detection
		flow, want string
	}{
		{desktop, "browser", "because this is a Mac"},
		{desktop, "device", "because the browser cannot be used"},
		{ssh, "device", "because this is an SSH session"},
		{ssh, "paste", "because this is an SSH session and the server offers no device flow"},
		{ssh, "client-credentials", "non-interactive credentials are configured"},
	} {
		if got := tt.d.Why(tt.flow); got != tt.want {
			t.Errorf("Why(%q) = %q, want %q", tt.flow, got, tt.want)
		}
	}
}
