package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// version is set when a release is built.
var version = ""

type versionOptions struct {
	common
	json bool
}

func newVersion(e *env) *cli.Command {
	var o versionOptions
	return e.command(&cli.Command{
		Name: "version", Usage: "print the version",
		UsageText: "mcp-login version",
		Flags:     []cli.Flag{boolFlag("json", "as JSON", &o.json)},
	}, &o.common, func(context.Context, []string) error { return runVersion(e, o) })
}

func runVersion(e *env, o versionOptions) error {
	v := versionName()
	if o.json {
		return e.answerJSON(map[string]string{"version": v, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	return e.answer(terminal.Linef("mcp-login %s (%s, %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH))
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
