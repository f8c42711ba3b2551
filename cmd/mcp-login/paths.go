package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// dataDir is where credentials are kept: $XDG_DATA_HOME/mcp-login or the
// platform's equivalent.
func (e *env) dataDir() (string, error) {
	switch runtime.GOOS {
	case "windows":
		return e.userDir("", "LOCALAPPDATA", "AppData/Local", "mcp-login")
	case "darwin":
		return e.userDir("XDG_DATA_HOME", "", "Library/Application Support", "mcp-login")
	}
	return e.userDir("XDG_DATA_HOME", "", ".local/share", "mcp-login")
}

// keyDir is where key files are kept, apart from the data, so that a copy or
// backup of one is not a copy of both.
func (e *env) keyDir() (string, error) {
	switch runtime.GOOS {
	case "windows":
		return e.userDir("", "APPDATA", "AppData/Roaming", "mcp-login/keys")
	case "darwin":
		return e.userDir("XDG_STATE_HOME", "", "Library/State", "mcp-login/keys")
	}
	return e.userDir("XDG_STATE_HOME", "", ".local/state", "mcp-login/keys")
}

// confirmedDir is where it is noted what this user typed on this host for
// renewals: apart from the data, and in no folder that is shared with other
// hosts, as that of the configuration often is.
func (e *env) confirmedDir() (string, error) {
	switch runtime.GOOS {
	case "windows":
		return e.userPath("", "LOCALAPPDATA", "AppData/Local", "mcp-login-confirmed")
	case "darwin":
		return e.userPath("XDG_STATE_HOME", "", "Library/State", "mcp-login/confirmed")
	}
	return e.userPath("XDG_STATE_HOME", "", ".local/state", "mcp-login/confirmed")
}

// userDir returns a folder of the user's that may be written, or why root must
// not: see checkHome.
func (e *env) userDir(xdg, native, below, name string) (string, error) {
	path, err := e.userPath(xdg, native, below, name)
	if err != nil {
		return "", err
	}
	return path, e.checkHome(path)
}

// userPath returns the folder that an environment variable names, else one
// below the home folder. XDG variables that are not absolute are ignored, as
// their specification says.
func (e *env) userPath(xdg, native, below, name string) (string, error) {
	for _, variable := range []string{xdg, native} {
		if dir := e.getenv(variable); variable != "" && filepath.IsAbs(dir) {
			return filepath.Join(dir, filepath.FromSlash(name)), nil
		}
	}
	home := e.getenv("HOME")
	if runtime.GOOS == "windows" {
		home = e.getenv("USERPROFILE")
	}
	if !filepath.IsAbs(home) {
		return "", usagef("no home folder is known: give --profile-dir, and set HOME or XDG_STATE_HOME")
	}
	return filepath.Join(home, filepath.FromSlash(below), filepath.FromSlash(name)), nil
}

// checkHome keeps root from making folders in the home folder of somebody else,
// who could not open them. After `sudo -E` that is an error. Without sudo it is
// how some containers are set up, and a warning, once, before the first folder.
func (e *env) checkHome(path string) error {
	home := e.getenv("HOME")
	uid, known := owner(home)
	if os.Geteuid() != 0 || !known || uid == 0 || !inside(home, path) {
		return nil
	}
	if sudo := e.getenv("SUDO_UID"); sudo != "" && sudo != "0" {
		line := e.line.again(part.typed)
		return &codeError{
			code: exitStore,
			text: fmt.Sprintf("sudo kept HOME=%s, which belongs to user %d: files that root makes there would lock that user out", home, uid),
			hint: fmt.Sprintf("use the store of root: %v\nor that of the user, without sudo: %v", suggestion{"sudo", "-H"}.with(line...), line),
		}
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && !e.warned {
		e.warned = true
		e.say("warning: HOME=%s belongs to user %d, who cannot open the folders that root makes there", home, uid)
	}
	return nil
}

// inside reports whether a path is in a folder.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// whoseFolder returns what to do about a file that could not be reached because
// a folder on its way belongs to somebody else, and "" for all other errors.
func whoseFolder(err error) string {
	at, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	path, absErr := filepath.Abs(at.Path)
	if absErr != nil {
		return ""
	}
	dir, uid, mine := foreign(path)
	switch {
	case dir == "":
		return ""
	case mine:
		return fmt.Sprintf("%s in a folder of yours belongs to user %d: sudo chown -R \"$(id -u):$(id -g)\" %s", dir, uid, suggestion{dir})
	}
	return fmt.Sprintf("%s belongs to user %d, not to user %d who runs this", dir, uid, os.Geteuid())
}

// foreign returns the first part of a path that belongs to somebody else though
// it is in a folder of this user's. Where no folder is this user's, it returns
// the last part that can be seen, and false.
func foreign(path string) (dir string, uid int, mine bool) {
	for i := range len(path) + 1 {
		if i < len(path) && !os.IsPathSeparator(path[i]) {
			continue
		}
		part := path[:max(i, 1)]
		has, known := owner(part)
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
