package main

import (
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed nix/flake.nix
var flake string

// nixSystems are the systems of the flake, by their Nix names.
var nixSystems = []struct{ name, os, arch string }{
	{"aarch64-darwin", "darwin", "arm64"},
	{"aarch64-linux", "linux", "arm64"},
	{"x86_64-darwin", "darwin", "amd64"},
	{"x86_64-linux", "linux", "amd64"},
}

// writeFlake writes a Nix flake that installs the archives.
func writeFlake(r *release) error {
	var releases []string
	for _, s := range nixSystems {
		entry, err := r.nixRelease(s.name, s.os, s.arch)
		if err != nil {
			return err
		}
		releases = append(releases, entry)
	}
	text := strings.NewReplacer("@VERSION@", r.version, "@DESCRIPTION@", description, "@HOMEPAGE@", homepage, "@RELEASES@", strings.Join(releases, "\n")).Replace(flake)
	dir := filepath.Join(r.dir, "nix")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "flake.nix"), []byte(text), 0o644)
}

// nixRelease returns the URL and hash of one system's archive.
func (r *release) nixRelease(system, goos, arch string) (string, error) {
	for _, a := range r.artifacts {
		if a.Type != "Archive" || a.GOOS != goos || a.GOARCH != arch {
			continue
		}
		sum, err := hex.DecodeString(strings.TrimPrefix(a.Extra.Checksum, "sha256:"))
		if err != nil || len(sum) != 32 {
			return "", fmt.Errorf("%s: no SHA-256 in %q", a.Name, a.Extra.Checksum)
		}
		return fmt.Sprintf("        %s = { url = \"%s/releases/download/%s/%s\"; hash = \"sha256-%s\"; };",
			system, homepage, r.tag, a.Name, base64.StdEncoding.EncodeToString(sum)), nil
	}
	return "", fmt.Errorf("the release has no archive for %s", system)
}
