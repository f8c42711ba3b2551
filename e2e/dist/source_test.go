//go:build e2e && dist

package dist

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReproducible builds the whole release again, in another folder.
func TestReproducible(t *testing.T) {
	if changed := output(t, exec.Command("git", "status", "--porcelain")); changed != "" {
		t.Skipf("the release was not built from a commit:\n%s", changed)
	}
	dir := filepath.Join(t.TempDir(), "another place")
	output(t, exec.Command("git", "clone", "-q", "../..", dir))
	output(t, exec.Command("git", "-C", dir, "checkout", "-q", "--detach", metadata.Commit))
	build := exec.Command("packaging/dist")
	build.Dir = dir
	build.Env = append(os.Environ(), "HOSTNAME=another", "TZ=Asia/Tokyo", "LC_ALL=C")
	output(t, build)
	for _, name := range []string{"release/checksums.txt", "image/index.json", "homebrew/Casks/mcp-login.rb", "scoop/mcp-login.json", "aur/mcp-login-bin.pkgbuild"} {
		if first, second := read(t, file(t, name)), read(t, filepath.Join(dir, "dist", name)); string(first) != string(second) {
			t.Errorf("%s differs:\n%s", name, diffLines(string(first), string(second)))
		}
	}
}

// diffLines returns the lines that only one of two texts has.
func diffLines(first, second string) (lines string) {
	for _, two := range [][2]string{{first, second}, {second, first}} {
		for line := range strings.Lines(two[0]) {
			if !strings.Contains(two[1], line) {
				lines += line
			}
		}
	}
	return lines
}

// TestGoInstall installs the latest version from a module proxy that has this source as
// v1.2.3, and the other modules from the local cache.
func TestGoInstall(t *testing.T) {
	proxy, cache, bin := t.TempDir(), t.TempDir(), t.TempDir()
	publish(t, proxy, "v1.2.3")
	cmd := exec.Command("go", "install", "-trimpath", "-tags", "urfave_cli_no_docs", "github.com/mcp-login/mcp-login/cmd/mcp-login@latest")
	downloads := filepath.Join(strings.TrimSpace(output(t, exec.Command("go", "env", "GOMODCACHE"))), "cache/download")
	cmd.Env = append(os.Environ(), "GOPROXY=file://"+proxy+",file://"+downloads, "GOSUMDB=off", "GONOSUMDB=", "GOPRIVATE=", "GONOPROXY=",
		"GOMODCACHE="+cache, "GOBIN="+bin, "GOFLAGS=-modcacherw", "CGO_ENABLED=0", "GOWORK=off")
	cmd.Dir = t.TempDir()
	output(t, cmd)
	a := newAccount(t, filepath.Join(bin, "mcp-login"))
	if got := output(t, a.cmd("version")); !strings.HasPrefix(got, "mcp-login v1.2.3 (go1.") {
		t.Errorf("version: %q", got)
	}
	demo := a.login(t)
	checkToken(t, demo, demoToken.FindString(output(t, a.cmd("env", "demo"))))
}

// publish writes the module of the commit to a file proxy.
func publish(t testing.TB, proxy, version string) {
	t.Helper()
	const module = "github.com/mcp-login/mcp-login"
	dir := filepath.Join(proxy, module, "@v")
	info, err := json.Marshal(map[string]string{"Version": version, "Time": commitTime(t).UTC().Format(time.RFC3339)})
	if err == nil {
		err = errors.Join(
			os.MkdirAll(dir, 0o755),
			os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o644),
			os.WriteFile(filepath.Join(dir, version+".info"), info, 0o644),
			os.WriteFile(filepath.Join(dir, version+".mod"), read(t, "../../go.mod"), 0o644),
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	// A module does not contain nested modules.
	zip := exec.Command("git", "archive", "--format=zip", "--prefix="+module+"@"+version+"/", "-o", filepath.Join(dir, version+".zip"), metadata.Commit, "--", ".", ":!e2e", ":!packaging")
	zip.Dir = "../.."
	output(t, zip)
}
