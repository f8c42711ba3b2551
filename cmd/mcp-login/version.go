package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// These are set when a release is built.
var version, commit, commitDate = "", "", ""

type versionOptions struct {
	common
	json bool
}

func newVersion(e *env) *cli.Command {
	var o versionOptions
	return e.command(&cli.Command{
		Name: "version", Usage: "Print the version",
		UsageText: "mcp-login version",
		Flags:     []cli.Flag{boolFlag("json", "Print JSON", &o.json)},
	}, &o.common, func(context.Context, []string) error { return runVersion(e, o) })
}

func runVersion(e *env, o versionOptions) error {
	v, rev := versionName(), sourceRevision()
	if o.json {
		return e.answerJSON(map[string]any{
			"version": v, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
			"commit": rev.commit, "date": rev.date, "modified": rev.dirty,
		})
	}
	return e.answer(terminal.Linef("mcp-login %s (%s%s, %s/%s)", v, rev, runtime.Version(), runtime.GOOS, runtime.GOARCH))
}

// versionName is the release's, else what go install recorded.
func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}

// revision is the commit that the program was built from. It is zero where
// nothing recorded one, as in a build outside of a clone.
type revision struct {
	commit string
	date   string // RFC 3339
	dirty  bool   // files were changed since
}

// sourceRevision is the release's, else what go build recorded.
func sourceRevision() (r revision) {
	if commit != "" {
		return revision{commit: commit, date: commitDate}
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return revision{}
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			r.commit = s.Value
		case "vcs.time":
			r.date = s.Value
		case "vcs.modified":
			r.dirty = s.Value == "true"
		}
	}
	return r
}

// day is the date without the time.
func (r revision) day() string {
	day, _, _ := strings.Cut(r.date, "T")
	return day
}

// String is a short form for people, or "".
func (r revision) String() string {
	if r.commit == "" {
		return ""
	}
	dirty := ""
	if r.dirty {
		dirty = ", modified"
	}
	return "commit " + r.commit[:min(12, len(r.commit))] + dirty + ", " + r.day() + ", "
}
