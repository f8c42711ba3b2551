package main

import (
	"archive/zip"
	"bytes"
	"debug/macho"
	_ "embed"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
)

//go:embed mcpb/manifest.json
var bundleManifest []byte

// bundlePrograms are the programs in the bundle for one architecture. A manifest
// distinguishes operating systems, but not architectures.
var bundlePrograms = []struct{ name, platform string }{
	{"server/mcp-login-linux", "linux/amd64"},
	{"server/mcp-login.exe", "windows/amd64"},
}

// writeBundle writes the MCP bundle, which Claude Desktop installs with one click.
func writeBundle(r *release) (err error) {
	out, err := os.Create(filepath.Join(r.dir, "mcp-login_"+r.version+".mcpb"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	defer func() { err = errors.Join(err, w.Close()) }()
	manifest := bytes.Replace(bundleManifest, []byte("VERSION"), []byte(r.version), 1)
	if err := r.addFile(w, "manifest.json", packed{manifest, 0o644}); err != nil {
		return err
	}
	text, err := r.license()
	if err != nil {
		return err
	}
	if err := r.addFile(w, "LICENSE", text); err != nil {
		return err
	}
	mac, err := r.universalBinary()
	if err != nil {
		return err
	}
	if err := r.addFile(w, "server/mcp-login", packed{mac, 0o755}); err != nil {
		return err
	}
	for _, p := range bundlePrograms {
		program, err := r.binary(p.platform)
		if err != nil {
			return err
		}
		if err := r.addFile(w, p.name, packed{program, 0o755}); err != nil {
			return err
		}
	}
	return nil
}

// universalBinary returns a universal binary for both kinds of Mac. goreleaser can build
// it too, but not reproducibly: its order depends on which build ends first.
func (r *release) universalBinary() ([]byte, error) {
	const align = 14 // a page of 16 KiB, as a power of two
	amd64, err := r.binary("darwin/amd64")
	if err != nil {
		return nil, err
	}
	arm64, err := r.binary("darwin/arm64")
	if err != nil {
		return nil, err
	}
	page := func(n int) int { return (n + 1<<align - 1) >> align << align }
	first := page(8 + 2*20)
	second := first + page(len(amd64))
	header := []uint32{
		macho.MagicFat, 2,
		uint32(macho.CpuAmd64), 3, uint32(first), uint32(len(amd64)), align,
		uint32(macho.CpuArm64), 0, uint32(second), uint32(len(arm64)), align,
	}
	out := make([]byte, second+len(arm64))
	if _, err := binary.Encode(out, binary.BigEndian, header); err != nil {
		return nil, err
	}
	copy(out[first:], amd64)
	copy(out[second:], arm64)
	return out, nil
}

func (r *release) addFile(w *zip.Writer, name string, f packed) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: r.date}
	h.SetMode(os.FileMode(f.mode))
	out, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = out.Write(f.data)
	return err
}
