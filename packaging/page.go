package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// writePage collects the files of the release page in one folder, with its own
// list of checksums.
func writePage(r *release) error {
	page := filepath.Join(r.dir, "release")
	if err := os.RemoveAll(page); err != nil {
		return err
	}
	if err := os.Mkdir(page, 0o755); err != nil {
		return err
	}
	files, err := r.pageFiles()
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(page, filepath.Base(file)), data, 0o644); err != nil {
			return err
		}
	}
	list, err := checksums(page)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(r.dir, "checksums.txt")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(page, "checksums.txt"), list, 0o644)
}

// pageFiles returns the paths of the files of the release page.
func (r *release) pageFiles() ([]string, error) {
	files := []string{
		filepath.Join(r.dir, "../install.sh"),
		filepath.Join(r.dir, "scoop/mcp-login.json"),
		filepath.Join(r.dir, "nix/flake.nix"),
		filepath.Join(r.dir, "mcp-login_"+r.version+".mcpb"),
	}
	for _, a := range r.artifacts {
		if a.Type == "Archive" || a.Type == "Linux Package" || a.Type == "SBOM" {
			files = append(files, r.path(a))
		}
	}
	packages, err := filepath.Glob(filepath.Join(r.dir, "npm/*.tgz"))
	return append(files, packages...), err
}

// checksums lists the files of a folder by name, in the format of sha256sum.
func checksums(dir string) (list []byte, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		list = fmt.Appendf(list, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return list, nil
}
