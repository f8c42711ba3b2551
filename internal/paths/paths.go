// Package paths finds the folders of this user in which the program keeps its
// files. It must not know what the files are, or the command line.
package paths

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNoHome means that the environment has no home folder.
var ErrNoHome = errors.New("cannot find your home folder; use --profile-dir, and set " + homeVariables)

// Dirs returns the folders for an environment.
type Dirs struct {
	Getenv func(name string) string
	Warn   func(text string) // shows a warning about a folder; nil: none is shown
}

// Data returns the folder of credentials: $XDG_DATA_HOME/mcp-login or the
// platform's equivalent.
func (d Dirs) Data() (string, error) {
	switch runtime.GOOS {
	case "windows":
		return d.find("LOCALAPPDATA", "AppData/Local", "mcp-login")
	case "darwin":
		return d.find("XDG_DATA_HOME", "Library/Application Support", "mcp-login")
	}
	return d.find("XDG_DATA_HOME", ".local/share", "mcp-login")
}

// Keys returns the folder of key files, separate from the data, so that a copy or
// backup of one is not a copy of both.
func (d Dirs) Keys() (string, error) {
	if runtime.GOOS == "windows" {
		return d.find("APPDATA", "AppData/Roaming", "mcp-login/keys")
	}
	return d.state("mcp-login/keys")
}

// Confirmed returns the folder of the notes of what this user confirmed on this host:
// separate from the data, and not in a folder that hosts often share, such as that of
// the configuration.
func (d Dirs) Confirmed() (string, error) {
	if runtime.GOOS == "windows" {
		return d.find("LOCALAPPDATA", "AppData/Local", "mcp-login-confirmed")
	}
	return d.state("mcp-login/confirmed")
}

// Config returns the path of the configuration file.
func (d Dirs) Config() (string, error) {
	if dir := d.Getenv("XDG_CONFIG_HOME"); runtime.GOOS == "windows" && !filepath.IsAbs(dir) {
		return d.find("APPDATA", ".config", "mcp-login")
	}
	return d.find("XDG_CONFIG_HOME", ".config", "mcp-login")
}

// AgentSocket is the default path of the agent's socket.
func (d Dirs) AgentSocket() (string, error) {
	return d.find("XDG_RUNTIME_DIR", ".local/state", "mcp-login/agent.sock")
}

// AgentAudit is the default path of the agent's audit log.
func (d Dirs) AgentAudit() (string, error) {
	return d.find("XDG_STATE_HOME", ".local/state", "mcp-login/agent-audit.jsonl")
}

// AgentLog is the default path of the log of an agent in the background.
func (d Dirs) AgentLog() (string, error) {
	return d.find("XDG_STATE_HOME", ".local/state", "mcp-login/agent.log")
}

// Proxies returns the folder of the state that this user's proxies share: the
// last lists of servers, and sign-ins in progress.
func (d Dirs) Proxies() (string, error) {
	if runtime.GOOS == "windows" {
		return d.find("LOCALAPPDATA", "AppData/Local", "mcp-login-proxy")
	}
	return d.state("mcp-login/proxy")
}

// Browsers returns the folder in which a remote host finds the user's laptops: one for each host
// that shares the home folder.
func (d Dirs) Browsers() (string, error) { return d.state("mcp-login/browser") }

// BrowserLinks returns the folder of a laptop's links to remote hosts, and
// BrowserMemory that of the sign-ins that need no confirmation.
func (d Dirs) BrowserLinks() (string, error) { return d.state("mcp-login/browser-links") }

// BrowserMemory is described at [Dirs.BrowserLinks].
func (d Dirs) BrowserMemory() (string, error) { return d.state("mcp-login/browser-hosts.json") }

// BrowserSocket is the default path of the socket that a laptop serves.
func (d Dirs) BrowserSocket() (string, error) {
	return d.find("XDG_RUNTIME_DIR", ".local/state", "mcp-login/browser.sock")
}

// state returns a folder below the one for this host's state.
func (d Dirs) state(name string) (string, error) {
	if runtime.GOOS == "darwin" {
		return d.find("XDG_STATE_HOME", "Library/State", name)
	}
	return d.find("XDG_STATE_HOME", ".local/state", name)
}

// find returns a folder in the one that an environment variable names, else in
// the home folder. A variable that is not absolute is ignored, as the XDG
// specification requires.
func (d Dirs) find(variable, below, name string) (string, error) {
	if dir := d.Getenv(variable); filepath.IsAbs(dir) {
		return filepath.Join(dir, filepath.FromSlash(name)), nil
	}
	home := d.home()
	if home == "" {
		return "", ErrNoHome
	}
	return filepath.Join(home, filepath.FromSlash(below), filepath.FromSlash(name)), nil
}

// home returns the home folder; "" if the environment has none.
func (d Dirs) home() string {
	home := d.Getenv("HOME")
	if runtime.GOOS == "windows" {
		home = d.Getenv("USERPROFILE")
	}
	if !filepath.IsAbs(home) {
		return ""
	}
	return home
}

// Tilde shortens a path in the home folder, for people. The path may have a scheme, as
// in file:DIR.
func (d Dirs) Tilde(path string) string {
	home := d.home()
	if home == "" {
		return path
	}
	scheme, rest, found := strings.Cut(path, filepath.Clean(home)+string(filepath.Separator))
	if !found || scheme != "" && !strings.HasSuffix(scheme, ":") {
		return path
	}
	return scheme + "~" + string(filepath.Separator) + rest
}

// SudoError reports that sudo kept the home folder of another user.
type SudoError struct {
	Home string
	UID  int // owner of Home
}

func (e *SudoError) Error() string {
	return fmt.Sprintf("sudo kept HOME=%s, which belongs to user %d; files that root creates there would lock that user out", e.Home, e.UID)
}

// CheckHome prevents root from creating folders in another user's home folder that
// this user could not access. After `sudo -E` it returns a SudoError. Without
// sudo, as in some containers, it only warns if the folder does not exist yet.
func (d Dirs) CheckHome(path string) (warning string, err error) {
	home := d.Getenv("HOME")
	uid, known := Owner(home)
	if os.Geteuid() != 0 || !known || uid == 0 || !inside(home, path) {
		return "", nil
	}
	if sudo := d.Getenv("SUDO_UID"); sudo != "" && sudo != "0" {
		return "", &SudoError{home, uid}
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return fmt.Sprintf("HOME=%s belongs to user %d, who cannot open folders that root creates there", home, uid), nil
}

// Writable checks a folder before files are created in it. Its arguments are the
// results of another method.
func (d Dirs) Writable(path string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	warning, err := d.CheckHome(path)
	if warning != "" && d.Warn != nil {
		d.Warn(warning)
	}
	return path, err
}

// inside reports whether a path is in a folder.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// Foreign returns the first part of a path that belongs to another user
// although its parent folder belongs to this user. If no parent belongs to this
// user, it returns the last accessible part, and false.
func Foreign(path string) (dir string, uid int, mine bool) {
	for i := range len(path) + 1 {
		if i < len(path) && !os.IsPathSeparator(path[i]) {
			continue
		}
		part := path[:max(i, 1)]
		has, known := Owner(part)
		switch {
		case !known:
			return dir, uid, mine
		case has == os.Geteuid():
			dir, mine = "", true
		case dir == "" || !mine:
			dir, uid = part, has
		}
	}
	return dir, uid, mine
}
