package main

import (
	"sync"

	"github.com/mcp-login/mcp-login/internal/paths"
)

func (e *call) dirs() paths.Dirs { return paths.Dirs{Getenv: e.getenv} }

// userDir checks that a folder may be made.
func (e *call) userDir(path string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	warning, err := e.dirs().CheckHome(path)
	e.warn(warning)
	return path, err
}

// warnOnce returns what shows a warning about the folders of this user. One is
// enough.
func (e *env) warnOnce() func(text string) {
	var once sync.Once
	return func(text string) {
		if text != "" {
			once.Do(func() { e.say("warning: %s", text) })
		}
	}
}
