package main

import (
	"context"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/buildinfo"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// These are set when a release is built.
var version, commit, commitDate = "", "", ""

type versionOptions struct {
	common
	json bool
}

func newVersion(e *call) *cli.Command {
	var o versionOptions
	return e.command(&cli.Command{
		Name: "version", Usage: "Print the version",
		UsageText: "mcp-login version",
		Flags:     []cli.Flag{jsonFlag(&o.json)},
	}, &o.common, func(context.Context, []string) error { return runVersion(e, o) })
}

func runVersion(e *call, o versionOptions) error {
	build := buildOf()
	if o.json {
		return e.answerJSON(map[string]any{
			"version": build.Version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
			"commit": build.Commit, "date": build.Date, "modified": build.Dirty,
		})
	}
	return e.answer(terminal.Linef("mcp-login %s (%s%s, %s/%s)", build.Version, build, runtime.Version(), runtime.GOOS, runtime.GOARCH))
}

func buildOf() buildinfo.Build {
	return buildinfo.Of(buildinfo.Build{Version: version, Commit: commit, Date: commitDate})
}
