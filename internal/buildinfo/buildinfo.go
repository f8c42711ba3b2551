// Package buildinfo says which build of the program runs. It must not know how
// that is shown.
package buildinfo

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// Build is the version, and the commit that it was built from. The commit is empty
// if unknown, as in a build outside a clone.
type Build struct {
	Version string
	Commit  string
	Date    string // RFC 3339
	Dirty   bool   // uncommitted changes
}

// Of completes the build information of a release by that of go install and go
// build.
func Of(release Build) Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	b := release
	b.Version = cmp.Or(b.Version, info.Main.Version, "devel")
	if b.Commit != "" {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	return b
}

// Day is the date without the time.
func (b Build) Day() string {
	day, _, _ := strings.Cut(b.Date, "T")
	return day
}

// String is a short form of the commit for people, or "".
func (b Build) String() string {
	if b.Commit == "" {
		return ""
	}
	dirty := ""
	if b.Dirty {
		dirty = ", modified"
	}
	return "commit " + b.Commit[:min(12, len(b.Commit))] + dirty + ", " + b.Day() + ", "
}
