//go:build e2e && dist

package dist

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packageFiles returns the files of each Linux package. The folder for zsh is different
// on Debian.
func packageFiles(zsh string) []string {
	files := []string{
		"usr/bin/mcp-login",
		"usr/lib/systemd/user/mcp-login-agent.service",
		"usr/lib/systemd/user/mcp-login-agent.socket",
		"usr/share/bash-completion/completions/mcp-login",
		"usr/share/doc/mcp-login/copyright",
		"usr/share/fish/vendor_completions.d/mcp-login.fish",
		"usr/share/man/man1/mcp-login.1.gz",
		"usr/share/zsh/" + zsh + "/_mcp-login",
	}
	slices.Sort(files)
	return files
}

// filesBelow returns the files below a folder.
func filesBelow(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path) // path is below dir
			files = append(files, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// dpkgRoot creates a separate root for dpkg.
func dpkgRoot(t testing.TB) (root string, dpkg func(...string) *exec.Cmd) {
	t.Helper()
	root = t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"var/lib/dpkg/status", "var/lib/dpkg/available"} {
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root, func(args ...string) *exec.Cmd {
		return exec.Command("dpkg", append([]string{"--root=" + root, "--force-not-root", "--force-bad-path", "--log=/dev/null"}, args...)...)
	}
}

func inFolder(files []string, dir string) (some []string) {
	for _, f := range files {
		if strings.HasPrefix(f, dir) {
			some = append(some, f)
		}
	}
	return some
}

// TestDebInCleanTree: the package has its files, an upgrade does not change the user's
// store, and removal leaves nothing behind.
func TestDebInCleanTree(t *testing.T) {
	deb := file(t, "mcp-login_VERSION_linux_amd64.deb")
	root, dpkg := dpkgRoot(t)
	output(t, dpkg("-i", olderDeb(t, deb)))
	a := newAccount(t, filepath.Join(root, "usr/bin/mcp-login"))
	a.checkSignInAndUse(t)
	before := output(t, a.cmd("token", "demo"))

	output(t, dpkg("-i", deb))
	if got, want := inFolder(filesBelow(t, root), "usr/"), packageFiles("vendor-completions"); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	if after := output(t, a.cmd("token", "demo")); after != before {
		t.Error("the upgrade changed the stored token")
	}
	output(t, dpkg("-P", "mcp-login"))
	if left := inFolder(filesBelow(t, root), "usr/"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if len(filesBelow(t, a.dir)) == 0 {
		t.Error("the user's store is gone")
	}
}

// olderDeb returns the same package with version 0.0.0.
func olderDeb(t testing.TB, deb string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "older")
	output(t, exec.Command("dpkg-deb", "-R", deb, dir))
	control := filepath.Join(dir, "DEBIAN/control")
	text := read(t, control)
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte("Version: ")) {
			lines[i] = []byte("Version: 0.0.0")
		}
	}
	if err := os.WriteFile(control, bytes.Join(lines, []byte("\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	older := dir + ".deb"
	output(t, exec.Command("dpkg-deb", "-b", dir, older))
	return older
}

// TestDebOnThisSystem: man, bash completion and systemd find the installed files.
func TestDebOnThisSystem(t *testing.T) {
	needRoot(t)
	provide(t, "packages")
	if out, err := exec.Command("dpkg-query", "-W", "-f", "${Status}", "mcp-login").Output(); err == nil && strings.Contains(string(out), "ok installed") {
		t.Skip("mcp-login is already installed")
	}
	t.Cleanup(func() {
		output(t, exec.Command("dpkg", "-P", "mcp-login"))
		if _, err := os.Stat("/usr/bin/mcp-login"); err == nil {
			t.Error("the program was not removed")
		}
	})
	// Some images exclude manual pages by default.
	output(t, exec.Command("dpkg", "--path-include=/usr/share/man/*", "--path-include=/usr/share/doc/*", "-i", file(t, "mcp-login_VERSION_linux_amd64.deb")))

	a := newAccount(t, "mcp-login")
	a.checkSignInAndUse(t)
	page := exec.Command("man", "mcp-login")
	page.Env = append(a.env, "MANWIDTH=200")
	if got := output(t, page); !strings.Contains(got, "MCP-LOGIN(1)") || !strings.Contains(got, metadata.Version) {
		t.Errorf("man shows %.300q", got)
	}
	for typed, want := range map[string]string{"mcp-login lo": "login", "mcp-login env d": "demo"} {
		bash := exec.Command("bash", "--norc", "-c", `. /usr/share/bash-completion/bash_completion
			_completion_loader mcp-login
			COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
			COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			f=$(complete -p mcp-login | sed 's/.*-F \([^ ]*\).*/\1/')
			$f mcp-login "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
			printf '%s\n' "${COMPREPLY[@]}"`, "bash", typed)
		bash.Env = a.env
		if got := strings.Fields(output(t, bash)); !slices.Contains(got, want) {
			t.Errorf("bash completes %q with %q", typed, got)
		}
	}
	verify := exec.Command("systemd-analyze", "--user", "--man=no", "verify", "/usr/lib/systemd/user/mcp-login-agent.service", "/usr/lib/systemd/user/mcp-login-agent.socket")
	verify.Env = append(a.env, "XDG_RUNTIME_DIR="+t.TempDir())
	if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}

func TestRPM(t *testing.T) {
	provide(t, "packages")
	path := file(t, "mcp-login_VERSION_linux_amd64.rpm")
	output(t, exec.Command("rpm", "-K", "--nosignature", path))
	if got := strings.Fields(strings.ReplaceAll(output(t, exec.Command("rpm", "-qpl", path)), "\n/", "\n")); len(got) != 8 || !slices.Equal(sorted(got), packageFiles("site-functions")) {
		t.Errorf("files %q", got)
	}
	about := output(t, exec.Command("rpm", "-qp", "--qf", "%{NAME} %{VERSION} %{LICENSE} %{ARCH} %{BUILDHOST} [%{FILEUSERNAME} ]", path))
	if want := "mcp-login " + strings.ReplaceAll(metadata.Version, "-", "~") + " Apache-2.0 x86_64 localhost " + strings.Repeat("root ", 8); about != want {
		t.Errorf("rpm shows %q, want %q", about, want)
	}
	if scripts := output(t, exec.Command("rpm", "-qp", "--scripts", path)); scripts != "" {
		t.Errorf("scripts: %s", scripts)
	}
	needRoot(t)
	root := t.TempDir()
	rpm := func(args ...string) string {
		return output(t, exec.Command("rpm", append([]string{"--root", root, "--nodeps", "--nosignature"}, args...)...))
	}
	rpm("-i", path)
	newAccount(t, filepath.Join(root, "usr/bin/mcp-login")).checkSignInAndUse(t)
	rpm("-e", "mcp-login")
	if left := inFolder(filesBelow(t, root), "usr/bin"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func sorted(names []string) []string {
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "/")
	}
	slices.Sort(names)
	return names
}

// TestAPKAndArchlinux reads the packages as tar archives, because neither package
// manager is available here.
func TestAPKAndArchlinux(t *testing.T) {
	provide(t, "packages")
	var arch bytes.Buffer
	zstd := exec.Command("zstd", "-dc", file(t, "mcp-login_VERSION_linux_amd64.pkg.tar.zst"))
	zstd.Stdout = &arch
	if err := zstd.Run(); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string]entry{
		"apk":       untar(t, gunzip(t, file(t, "mcp-login_VERSION_linux_amd64.apk"))),
		"archlinux": untar(t, &arch),
	} {
		t.Run(name, func(t *testing.T) {
			about := string(files[".PKGINFO"].data)
			for _, want := range []string{"pkgname = mcp-login\n", "arch = x86_64\n", "license = Apache-2.0\n", "pkgver = " + strings.SplitN(metadata.Version, "-", 2)[0]} {
				if !strings.Contains(about, want) {
					t.Errorf(".PKGINFO lacks %q:\n%s", want, about)
				}
			}
			program := files["usr/bin/mcp-login"]
			maps.DeleteFunc(files, func(name string, _ entry) bool { return strings.HasPrefix(name, ".") })
			if got, want := slices.Sorted(maps.Keys(files)), packageFiles("site-functions"); !slices.Equal(got, want) {
				t.Errorf("files %q, want %q", got, want)
			}
			path := filepath.Join(t.TempDir(), "mcp-login")
			if err := os.WriteFile(path, program.data, program.mode.Perm()); err != nil {
				t.Fatal(err)
			}
			newAccount(t, path).checkSignInAndUse(t)
		})
	}
}
