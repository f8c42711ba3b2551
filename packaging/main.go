// Packaging adds to a release the files that goreleaser does not make: the
// container image as an OCI layout, the npm packages, the MCP bundle and the
// Nix flake. The folder release then has the files of the release page. It
// reads only the output of goreleaser, and its own output depends only on that
// and the commit's time.
//
//	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) packaging dist
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	homepage    = "https://github.com/mcp-login/mcp-login"
	description = "OAuth sign-in for MCP servers, on machines without a browser"
	license     = "Apache-2.0"
)

// release is the output of goreleaser.
type release struct {
	dir       string // folder of the release
	tag       string
	version   string
	commit    string
	date      time.Time // of the commit
	artifacts []artifact
}

// artifact is one file of a release, as artifacts.json describes it.
type artifact struct {
	Name, Path, Type string
	GOOS, GOARCH     string
	GOARM            string
	Extra            struct{ ID, Checksum string }
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: packaging DIST")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	r, err := readRelease(dir)
	if err != nil {
		return err
	}
	for _, write := range []func(*release) error{writeImage, writeNPM, writeBundle, writeFlake, writePage} {
		if err := write(r); err != nil {
			return err
		}
	}
	return nil
}

func readRelease(dir string) (*release, error) {
	r := &release{dir: dir}
	var meta struct{ Tag, Version, Commit string }
	if err := readJSON(filepath.Join(dir, "metadata.json"), &meta); err != nil {
		return nil, err
	}
	r.tag, r.version, r.commit = meta.Tag, meta.Version, meta.Commit
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	r.date = time.Unix(seconds, 0).UTC()
	return r, readJSON(filepath.Join(dir, "artifacts.json"), &r.artifacts)
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// binary returns the program for a platform such as linux/amd64 or linux/arm/7.
func (r *release) binary(platform string) ([]byte, error) {
	for _, a := range r.artifacts {
		kind := a.GOOS + "/" + a.GOARCH
		if a.GOARM != "" {
			kind += "/" + a.GOARM
		}
		if a.Type == "Binary" && kind == platform {
			return os.ReadFile(r.path(a))
		}
	}
	return nil, fmt.Errorf("the release has no binary for %s", platform)
}

// path returns the path of an artifact. goreleaser's paths are relative to the
// parent folder.
func (r *release) path(a artifact) string {
	return filepath.Join(r.dir, strings.TrimPrefix(filepath.ToSlash(a.Path), "dist/"))
}
