package main

import (
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

// userDir returns the folder that an environment variable names, else one
// below the home folder. XDG variables that are not absolute are ignored, as
// their specification says.
func (e *env) userDir(xdg, native, below, name string) (string, error) {
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
