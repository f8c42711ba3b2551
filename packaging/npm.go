package main

import (
	"archive/tar"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed npm/mcp-login.js
var npmWrapper []byte

//go:embed npm/README.md
var npmReadme []byte

// npmPlatforms are the platforms with a package, by their npm names.
var npmPlatforms = []struct{ platform, os, cpu string }{
	{"linux/amd64", "linux", "x64"},
	{"linux/arm64", "linux", "arm64"},
	{"linux/arm/7", "linux", "arm"},
	{"linux/386", "linux", "ia32"},
	{"darwin/amd64", "darwin", "x64"},
	{"darwin/arm64", "darwin", "arm64"},
	{"windows/amd64", "win32", "x64"},
	{"windows/arm64", "win32", "arm64"},
	{"freebsd/amd64", "freebsd", "x64"},
}

// npmPackage is a package.json.
type npmPackage struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	Description  string            `json:"description"`
	License      string            `json:"license"`
	Homepage     string            `json:"homepage"`
	Repository   map[string]string `json:"repository"`
	Engines      map[string]string `json:"engines,omitempty"`
	Bin          map[string]string `json:"bin,omitempty"`
	Optional     map[string]string `json:"optionalDependencies,omitempty"`
	OS           []string          `json:"os,omitempty"`
	CPU          []string          `json:"cpu,omitempty"`
	Unplugged    bool              `json:"preferUnplugged,omitempty"`
	PublishSetup map[string]any    `json:"publishConfig"`
}

func newNPMPackage(r *release, name, about string) npmPackage {
	return npmPackage{
		Name: name, Version: r.version, Description: about, License: license, Homepage: homepage,
		Repository:   map[string]string{"type": "git", "url": "git+" + homepage + ".git"},
		PublishSetup: map[string]any{"access": "public", "provenance": true},
	}
}

// writeNPM packs a package for each platform, and the main package with all of
// them as optional dependencies.
func writeNPM(r *release) error {
	if err := os.MkdirAll(filepath.Join(r.dir, "npm"), 0o755); err != nil {
		return err
	}
	main := newNPMPackage(r, "mcp-login", description)
	main.Engines = map[string]string{"node": ">=18"}
	main.Bin = map[string]string{"mcp-login": "mcp-login.js"}
	main.Optional = map[string]string{}
	for _, p := range npmPlatforms {
		name := "@mcp-login/" + p.os + "-" + p.cpu
		main.Optional[name] = r.version
		if err := writePlatformPackage(r, name, p.platform, p.os, p.cpu); err != nil {
			return err
		}
	}
	return r.pack(main, map[string]packed{"mcp-login.js": {npmWrapper, 0o755}, "README.md": {npmReadme, 0o644}})
}

func writePlatformPackage(r *release, name, platform, system, cpu string) error {
	program, err := r.binary(platform)
	if err != nil {
		return err
	}
	pkg := newNPMPackage(r, name, "The program of the package mcp-login for "+system+" on "+cpu)
	pkg.OS, pkg.CPU, pkg.Unplugged = []string{system}, []string{cpu}, true
	file := "bin/mcp-login"
	if system == "win32" {
		file += ".exe"
	}
	return r.pack(pkg, map[string]packed{file: {program, 0o755}})
}

// packed is a file in an npm package.
type packed struct {
	data []byte
	mode int64
}

// pack writes a package like "npm pack", with the commit's time.
func (r *release) pack(pkg npmPackage, files map[string]packed) (err error) {
	manifest, err := json.MarshalIndent(pkg, "", "  ")
	if err != nil {
		return err
	}
	files["package.json"] = packed{append(manifest, '\n'), 0o644}
	if files["LICENSE"], err = r.license(); err != nil {
		return err
	}
	name := strings.NewReplacer("@", "", "/", "-").Replace(pkg.Name)
	out, err := os.Create(filepath.Join(r.dir, "npm", name+"-"+r.version+".tgz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	zip := gzip.NewWriter(out)
	w := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		h := &tar.Header{Name: "package/" + name, Mode: f.mode, Size: int64(len(f.data)), ModTime: r.date, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), zip.Close())
}

func (r *release) license() (packed, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, "..", "LICENSE"))
	return packed{data, 0o644}, err
}
