//go:build e2e && dist

package dist

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// npmInstall installs the packages for this platform from local files, without the
// network.
func npmInstall(t testing.TB, packages ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"install", "--offline", "--no-audit", "--no-fund", "--no-update-notifier", "--cache", t.TempDir()}
	for _, name := range packages {
		args = append(args, file(t, "npm/"+name+"-VERSION.tgz"))
	}
	cmd := exec.Command("npm", args...)
	cmd.Dir = dir
	output(t, cmd)
	return dir
}

func TestNPM(t *testing.T) {
	dir := npmInstall(t, "mcp-login-linux-x64", "mcp-login")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	a := newAccount(t, filepath.Join(dir, "node_modules/.bin/mcp-login"))
	a.env = append(a.env, "PATH="+filepath.Dir(node)+":/usr/local/bin:/usr/bin:/bin")
	a.checkSignInAndUse(t)
	checkProxy(t, a.cmd("proxy", "demo"))

	npx := exec.Command("npx", "--offline", "--no", "mcp-login", "version")
	npx.Dir = dir
	if got := output(t, npx); !strings.HasPrefix(got, "mcp-login "+metadata.Version+" ") {
		t.Errorf("npx: %q", got)
	}
	if code, out := outputOfFailure(t, a.cmd("exec", "demo", "--", "sh", "-c", "exit 7")); code != 7 {
		t.Errorf("exit code %d, want the program's 7: %s", code, out)
	}
	if code, _ := outputOfFailure(t, a.cmd("env", "nobody")); code != 4 {
		t.Errorf("exit code %d, want 4", code)
	}
	killed := a.cmd("exec", "demo", "--", "sh", "-c", "kill -KILL $$")
	exit, _ := errors.AsType[*exec.ExitError](killed.Run())
	if exit == nil || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("a killed program ended the wrapper with %v", exit)
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		checkSignal(t, a, signal)
	}
	t.Logf("start of the program: %v through npm, %v without", fastest(t, a.cmd), fastest(t, newAccount(t, filepath.Join(dir, "node_modules/@mcp-login/linux-x64/bin/mcp-login")).cmd))
}

// checkSignal fails unless a signal to the wrapper reaches the program exactly once,
// and the wrapper exits with the program's exit code.
func checkSignal(t testing.TB, a *account, signal os.Signal) {
	t.Helper()
	cmd := a.cmd("exec", "demo", "--", "sh", "-c", `n=0; trap 'n=$((n + 1))' TERM INT HUP; echo ready; while [ $n = 0 ]; do sleep 0.1; done; sleep 0.3; exit $((40 + n))`)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the program wrote %q, %v", line, err)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	exit, _ := errors.AsType[*exec.ExitError](cmd.Wait())
	if exit == nil || exit.ExitCode() != 41 {
		t.Errorf("after %v the wrapper ended with %v, want 41", signal, exit)
	}
}

// fastest returns the shortest time of several runs.
func fastest(t testing.TB, cmd func(...string) *exec.Cmd) (best time.Duration) {
	t.Helper()
	for range 5 {
		began := time.Now()
		output(t, cmd("version"))
		if took := time.Since(began); best == 0 || took < best {
			best = took
		}
	}
	return best.Round(time.Millisecond)
}

// TestNPMWithoutThePlatform: if the optional package is missing, the error explains it.
func TestNPMWithoutThePlatform(t *testing.T) {
	dir := npmInstall(t, "mcp-login")
	code, out := outputOfFailure(t, exec.Command(filepath.Join(dir, "node_modules/.bin/mcp-login"), "version"))
	if code != 1 || !strings.Contains(out, "@mcp-login/linux-x64 is not installed\nhint: npm install mcp-login --include=optional") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// TestNPMPackages: each platform's package is only for that platform, and no package
// runs a script at installation.
func TestNPMPackages(t *testing.T) {
	read := func(name string) (files map[string]entry, manifest map[string]any) {
		files = untar(t, gunzip(t, file(t, "npm/"+name+"-VERSION.tgz")))
		if err := json.Unmarshal(files["package/package.json"].data, &manifest); err != nil {
			t.Fatal(err)
		}
		if manifest["version"] != metadata.Version || manifest["scripts"] != nil || manifest["dependencies"] != nil {
			t.Errorf("%s: %v", name, manifest)
		}
		return files, manifest
	}
	_, main := read("mcp-login")
	optional := main["optionalDependencies"].(map[string]any)
	if len(optional) != len(platforms) {
		t.Errorf("optional packages %v", optional)
	}
	names := map[string]string{
		"linux_amd64": "linux-x64", "linux_arm64": "linux-arm64", "linux_armv7": "linux-arm", "linux_386": "linux-ia32", "freebsd_amd64": "freebsd-x64",
		"darwin_amd64": "darwin-x64", "darwin_arm64": "darwin-arm64", "windows_amd64": "win32-x64", "windows_arm64": "win32-arm64",
	}
	for platform, name := range names {
		files, manifest := read("mcp-login-" + name)
		system, cpu, _ := strings.Cut(name, "-")
		if manifest["os"].([]any)[0] != system || manifest["cpu"].([]any)[0] != cpu || optional["@mcp-login/"+name] != metadata.Version {
			t.Errorf("%s: %v", name, manifest)
		}
		program := files["package/bin/mcp-login"].data
		if system == "win32" {
			program = files["package/bin/mcp-login.exe"].data
		}
		if got := platforms[platform](program); got != platform {
			t.Errorf("%s has a program for %s", name, got)
		}
	}
}
