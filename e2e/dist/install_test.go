//go:build e2e && dist

package dist

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// releases serves the release at the paths of GitHub. change can modify a response.
func releases(t testing.TB, change func(name string, data []byte) []byte) (url string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, "/latest/download/")
		if !ok {
			name, ok = strings.CutPrefix(r.URL.Path, "/download/v"+metadata.Version+"/")
		}
		data, err := os.ReadFile(filepath.Join(releaseDir, "release", filepath.Base(name)))
		if !ok || err != nil {
			http.NotFound(w, r)
			return
		}
		if change != nil {
			data = change(name, data)
		}
		_, _ = w.Write(data) // fails if the client has disconnected
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// install runs install.sh with a shell, in a home with only PATH.
func install(t testing.TB, home string, shell []string, args ...string) *exec.Cmd {
	t.Helper()
	script, err := filepath.Abs("../../install.sh")
	if err != nil {
		t.Fatal(err)
	}
	all := append(append(append([]string{}, shell...), script), args...)
	cmd := exec.Command(all[0], all[1:]...)
	cmd.Env, cmd.Dir = []string{"HOME=" + home, "PATH=/usr/bin:/bin"}, home
	return cmd
}

func TestInstallScript(t *testing.T) {
	provide(t, "packages")
	url := releases(t, nil)
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"bash"}, {"busybox", "sh"}} {
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			home := t.TempDir()
			cmd := install(t, home, shell, "--from", url)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "installed mcp-login "+metadata.Version+" ") || !strings.Contains(string(out), `hint: export PATH="`+home+`/.local/bin:$PATH"`) {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := filesBelow(t, home); len(got) != 1 {
				t.Errorf("files %q", got)
			}
			newAccount(t, filepath.Join(home, ".local/bin/mcp-login")).checkSignInAndUse(t)
		})
	}
}

// TestInstallScriptOptions: a folder with a space in its name, and a version; an
// existing program is replaced; standard output stays empty.
func TestInstallScriptOptions(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "my programs")
	for _, version := range []string{metadata.Version, "v" + metadata.Version} {
		if out := output(t, install(t, home, []string{"dash"}, "--from="+releases(t, nil)+"/", "--version", version, "--dir", "my programs")); out != "" {
			t.Errorf("standard output: %q", out)
		}
	}
	if got := output(t, exec.Command(filepath.Join(dir, "mcp-login"), "version")); !strings.Contains(got, metadata.Version) {
		t.Errorf("version: %q", got)
	}
}

// TestInstallScriptKeepsProgramOnFailure: after every failure, the existing program is
// unchanged, no other file is left, and one line has the reason.
func TestInstallScriptKeepsProgramOnFailure(t *testing.T) {
	corrupt := func(name string, data []byte) []byte {
		if strings.HasSuffix(name, ".gz") {
			data[len(data)/2] ^= 1
		}
		return data
	}
	truncated := func(name string, data []byte) []byte {
		if strings.HasSuffix(name, ".gz") {
			data = data[:len(data)/2]
		}
		return data
	}
	traversal := func(name string, data []byte) []byte {
		return []byte(strings.ReplaceAll(string(data), "  mcp-login_", "  ../mcp-login_"))
	}
	for _, tt := range []struct {
		name   string
		change func(string, []byte) []byte
		args   []string
		uname  string
		want   string
	}{
		{"corrupted archive", corrupt, nil, "", "but the release lists"},
		{"truncated archive", truncated, nil, "", "but the release lists"},
		{"name that leaves the folder", traversal, nil, "", "no archive for linux_amd64"},
		{"unknown version", nil, []string{"--version", "99.0.0"}, "", "cannot download"},
		{"another system", nil, nil, "Plan9", "no release for Plan9"},
		{"Windows", nil, nil, "MINGW64_NT-10.0", "hint: scoop install mcp-login"},
		{"no value", nil, []string{"--dir"}, "", "--dir needs a value"},
		{"unknown option", nil, []string{"--sudo"}, "", "usage: install.sh"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			bin := filepath.Join(home, ".local/bin")
			if err := os.MkdirAll(bin, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(bin, "mcp-login"), []byte("old"), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := install(t, home, []string{"dash"}, append([]string{"--from", releases(t, tt.change)}, tt.args...)...)
			if tt.uname != "" {
				tools := t.TempDir()
				if err := os.WriteFile(filepath.Join(tools, "uname"), []byte("#!/bin/sh\ncase $1 in -s) echo "+tt.uname+" ;; *) echo x86_64 ;; esac\n"), 0o755); err != nil {
					t.Fatal(err)
				}
				cmd.Env[1] = "PATH=" + tools + ":/usr/bin:/bin"
			}
			if _, out := outputOfFailure(t, cmd); !strings.Contains(out, tt.want) {
				t.Errorf("the error is %q, want %q", out, tt.want)
			}
			if got := filesBelow(t, home); len(got) != 1 || string(read(t, filepath.Join(bin, "mcp-login"))) != "old" {
				t.Errorf("the files are %q", got)
			}
		})
	}
}

// TestTruncatedInstallScript: a truncated script does nothing.
func TestTruncatedInstallScript(t *testing.T) {
	script := read(t, "../../install.sh")
	for i := len(script) / 20; i < len(script)-len("main \"$@\"\n"); i += len(script) / 20 {
		home := t.TempDir()
		cmd := exec.Command("dash", "-s", "--", "--from", "http://127.0.0.1:1")
		cmd.Env, cmd.Dir = []string{"HOME=" + home, "PATH=/usr/bin:/bin"}, home
		cmd.Stdin = strings.NewReader(string(script[:i]))
		_ = cmd.Run() // most truncated scripts end with a syntax error
		if got := filesBelow(t, home); len(got) != 0 {
			t.Errorf("the first %d bytes created %q", i, got)
		}
	}
}

// TestScriptsPassShellcheck runs shellcheck on the scripts that are released or build
// the release.
func TestScriptsPassShellcheck(t *testing.T) {
	provide(t, "packages")
	output(t, exec.Command("shellcheck", "../../install.sh", "../../packaging/dist", "../../packaging/prepare"))
}
