//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/await"
)

// Windows programs run under Wine. Its console prints escape sequences unchanged, so
// these tests cannot check how a prompt looks.
const (
	wine       = "/usr/lib/wine/wine64"
	wineServer = "/usr/lib/wine/wineserver64"

	// account is the folder of the user's profile, with a difficult name.
	account = "Jörg 日本 & Co"
)

// windowsProgram builds the program for Windows once.
var windowsProgram = sync.OnceValues(func() (string, error) {
	path := program + ".exe"
	cmd := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-ldflags", "-s -w", "-o", path, "./cmd/mcp-login")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build for Windows: %w\n%s", err, out)
	}
	return path, nil
})

// newWindowsHome returns a user's account on a separate Windows installation.
func newWindowsHome(t *testing.T) *home {
	t.Helper()
	exe, err := windowsProgram()
	if err != nil {
		t.Fatal(err)
	}
	prefix := newPrefix(t)
	h := newHome(t)
	h.dir = filepath.Join(prefix, "drive_c", account)
	h.env = append(h.env, "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=", "LC_ALL=C.UTF-8")
	folder := filepath.Join(prefix, "drive_c", "Program Files", "mcp-login")
	h.program = filepath.Join(t.TempDir(), "mcp-login")
	installed := filepath.Join(folder, "mcp-login.exe")
	script := fmt.Sprintf("#!/bin/sh\nexec %s '%s' \"$@\"\n", wine, installed)
	for _, step := range []func() error{
		func() error { return os.MkdirAll(h.dir, 0o700) },
		func() error { return os.MkdirAll(folder, 0o700) },
		func() error { return os.Symlink(exe, installed) },
		func() error { return writeProgram(h.program, script) },
		func() error { return h.wineServer("-p60") }, // keeps running for a minute between two programs
		h.boot,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = h.wineServer("-k") }) // stops all remaining processes
	return h
}

// newPrefix copies the Windows installation of e2e/provide, except the files that never
// change, and moves its user profiles.
func newPrefix(t *testing.T) string {
	t.Helper()
	made, err := provide("wine")
	if err != nil {
		t.Fatal(err)
	}
	prefix := t.TempDir()
	const copies = `mkdir dosdevices
ln -s ../drive_c dosdevices/c:
ln -s / dosdevices/z:
cp -as "$1/drive_c" .
cp "$1"/*.reg "$1/.update-timestamp" .`
	cmd := exec.Command("sh", "-ec", copies, "sh", made)
	cmd.Dir = prefix
	output(t, cmd)
	path := filepath.Join(prefix, "system.reg")
	registry, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after := []byte(`"ProfilesDirectory"=str(2):"C:\\users"`), fmt.Appendf(nil, `"ProfilesDirectory"="C:\\%s"`, registryText(account))
	if !bytes.Contains(registry, before) {
		t.Fatal("the registry does not name the folder of the user profiles")
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(registry, before, after), 0o600); err != nil {
		t.Fatal(err)
	}
	return prefix
}

// registryText escapes a text for Wine's registry files.
func registryText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\x%04x`, r)
		}
	}
	return b.String()
}

// wineServer runs Wine's server with a flag. With -k it waits until the server has
// stopped.
func (h *home) wineServer(flag string) error {
	cmd := exec.Command(wineServer, flag)
	cmd.Env = h.env
	return cmd.Run()
}

// boot starts the services of Windows. Otherwise the first program would start them,
// and they would keep its standard streams open.
func (h *home) boot() error {
	cmd := exec.Command(wine, "wineboot")
	cmd.Env = h.env
	return cmd.Run()
}

// batch runs a batch file with cmd.exe, with the program in its PATH, and returns the
// lines of its output.
func (h *home) batch(lines ...string) []string {
	h.t.Helper()
	text := "@echo off\r\nset PATH=C:\\Program Files\\mcp-login;%PATH%\r\n" + strings.Join(lines, "\r\n") + "\r\nexit /b 0\r\n"
	path := filepath.Join(h.t.TempDir(), "test.bat")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), wine, "cmd.exe", "/d", "/c", `Z:`+strings.ReplaceAll(path, "/", `\`))
	cmd.Env, cmd.Dir = h.env, h.dir
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("%v\n%s", err, stderr.String())
	}
	recordOutput(stderr.String())
	return strings.Split(strings.TrimSuffix(string(out), "\r\n"), "\r\n")
}

// TestWindows uses a credential with every command that exports it.
func TestWindows(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newWindowsHome(t)
	h.want(4, "env", "box")
	h.login(o, "box")
	token := h.token("box")
	if !o.active(token) {
		t.Error("the server does not accept the token")
	}
	if got := h.want(0, "store", "status").stdout; !strings.Contains(got, `C:\`+account) || !strings.Contains(got, "keyring") {
		t.Errorf("the store is not in the profile, or its key not in the Credential Manager:\n%s", got)
	}
	checkNoPlaintextToken(t, h.dir, o.observed().Tokens)

	want := []string{"Bearer " + token, token, o.mcp()}
	for _, format := range []string{"cmd", "auto"} {
		got := h.batch("mcp-login env box --format "+format+" >vars.bat", "call vars.bat", "del vars.bat",
			"echo %MCP_BOX_AUTHORIZATION%", "echo %MCP_BOX_TOKEN%", "echo %MCP_BOX_URL%")
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("env --format %s: the variables are not those of the token", format)
		}
	}
	got := h.batch(
		`mcp-login exec box -- cmd /c "echo %%MCP_BOX_URL%%"`,
		`mcp-login exec box -- cmd /c exit 3`, `echo %errorlevel%`,
		`mcp-login exec box -- cmd /c exit 70000`, `echo %errorlevel%`,
		`mcp-login exec box -- cmd /c exit -1073741510`, `echo %errorlevel%`,
		`mcp-login token nothing`, `echo %errorlevel%`)
	if want := []string{o.mcp(), "3", "70000", "-1073741510", "4"}; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exec: %q, want %q", got, want)
	}
	h.want(0, "logout", "box")
	if o.active(token) {
		t.Error("the token is still active after the sign-out")
	}
	h.want(4, "token", "box")
}

// TestWindowsKeyFile keeps the key in a file, and uses a store in a folder with a
// difficult name.
func TestWindowsKeyFile(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newWindowsHome(t)
	store := `file:C:\` + account + `\it's a (store) 100%`
	h.login(o, "box", "--store", store, "--keeper", "key-file")
	got := h.want(0, "token", "box", "--store", store)
	if !o.active(strings.TrimSpace(got.stdout)) {
		t.Error("the server does not accept the token")
	}
	if _, err := os.Stat(filepath.Join(h.dir, "it's a (store) 100%", "record-box")); err != nil {
		t.Error(err)
	}
	checkNoPlaintextToken(t, h.dir, o.observed().Tokens)
}

// TestWindowsCmdReadsBack reads the output of env with cmd.exe in a batch file, because
// Wine's cmd.exe does not run a line from the variable of a "for".
func TestWindowsCmdReadsBack(t *testing.T) {
	t.Parallel()
	h := newWindowsHome(t)
	vars := acceptedVariables(t, envexport.Cmd)
	text := filepath.Join(h.dir, "text.bat")
	writeText(t, text, envexport.Cmd, vars)
	got := map[string]string{}
	for _, entry := range h.batch("call text.bat", "set V") {
		name, value, _ := strings.Cut(entry, "=")
		got[name] = value
	}
	compareVariables(t, vars, got)
}

// TestWindowsStormRefreshesOnce: the process that refreshes is killed, and 30 others
// wait for its lock.
func TestWindowsStormRefreshesOnce(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newWindowsHome(t)
	h.loginWithExpiredToken(o, "box")
	o.set(settings{"stalls": 1, "stallTime": 600_000})
	holder := h.start("env", "box", "--timeout", "10m")
	awaitStalled(t, o)
	results := runConcurrently(h, 30, func() {
		if !holder.killAfter(0) {
			t.Error("the holder exited before it was killed")
		}
	})
	checkSameToken(t, o, results, 0)
}

// TestWindowsKilledWhileRefreshing kills the program at random times.
func TestWindowsKilledWhileRefreshing(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1, "rotate": false})
	h := newWindowsHome(t)
	h.login(o, "box")
	h.checkKilledRefreshes(t, o, 60)
}

// TestWindowsShells: the program detects the shell that started it, also through the
// shim of a package manager. Wine has no PowerShell, so a program with that name
// replaces it.
func TestWindowsShells(t *testing.T) {
	t.Parallel()
	h := newWindowsHome(t)
	for _, name := range []string{"pwsh.exe", `shims\mcp-login.exe`} {
		path := filepath.Join(h.dir, strings.ReplaceAll(name, `\`, "/"))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		output(t, exec.Command("x86_64-w64-mingw32-gcc", "-O2", "-s", "-o", path, "wine/parent.c"))
	}
	const unset = "mcp-login.exe env box --unset --only TOKEN --format auto"
	for line, want := range map[string]string{
		unset:                                   `set "MCP_BOX_TOKEN="`,
		"pwsh.exe " + unset:                     "$env:MCP_BOX_TOKEN = $null\n",
		"pwsh.exe cmd /c " + unset:              `set "MCP_BOX_TOKEN="`,
		`shims\mcp-login.exe ` + unset:          `set "MCP_BOX_TOKEN="`,
		`pwsh.exe shims\mcp-login.exe ` + unset: "$env:MCP_BOX_TOKEN = $null\n",
	} {
		if got := strings.Join(h.batch(line), "\r\n"); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

// TestWindowsHelp: examples and hints can be pasted into PowerShell.
func TestWindowsHelp(t *testing.T) {
	t.Parallel()
	h := newWindowsHome(t)
	for _, tt := range []struct {
		code int
		args []string
		want string
	}{
		{0, []string{"env", "--help"}, "mcp-login env notion --format powershell | Out-String | Invoke-Expression"},
		{0, []string{"token", "--help"}, "$TOKEN = mcp-login token notion"},
		{0, []string{"completion", "--help"}, "mcp-login completion powershell | Out-String | Invoke-Expression"},
		{4, []string{"token", "box", "--store", `file:C:\a b`}, `mcp-login login box URL --store "file:C:\a b"`},
	} {
		r := h.run(tt.args...)
		if text := r.stdout + r.stderr; r.code != tt.code || !strings.Contains(text, tt.want) {
			t.Errorf("%q exited with %d and printed\n%s", tt.args, r.code, text)
		}
	}
}

// TestWindowsUnits runs tests of packages that only Windows can run.
func TestWindowsUnits(t *testing.T) {
	t.Parallel()
	h := newWindowsHome(t)
	h.program = filepath.Join(t.TempDir(), "units")
	exe := h.program + ".exe"
	build := exec.Command("go", "test", "-tags", "urfave_cli_no_docs", "-c", "-o", exe, "./secrets/file")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64")
	output(t, build)
	if err := writeProgram(h.program, fmt.Sprintf("#!/bin/sh\nexec %s '%s' \"$@\"\n", wine, exe)); err != nil {
		t.Fatal(err)
	}
	r := h.run("-test.run=^TestWindows", "-test.v")
	if r.code != 0 || !strings.Contains(r.stdout, "--- PASS: TestWindows") {
		t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// TestWindowsConsole: the console shows the code and the link, with and without escape
// sequences, and reads a passphrase without echo.
func TestWindowsConsole(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newWindowsHome(t)
	for name, env := range map[string]string{"live": "TERM=xterm", "plain": "NO_COLOR=1"} {
		cmd := h.command(t.Context(), "login", name, o.mcp(), "--keeper", "passphrase", "--store", `file:C:\`+name)
		cmd.Env = append(cmd.Env, env)
		r := h.startOnTerminal(cmd, 200)
		const passphrase = "größer als 8 Zeichen"
		r.stderr.await(t, regexp.MustCompile(`new passphrase:`))
		r.awaitRaw() // otherwise Wine drops the typed text
		r.paste(passphrase + "\r")
		r.stderr.await(t, regexp.MustCompile(`repeat it:`))
		r.paste(passphrase + "\r")
		// A new store may prompt for its passphrase again before it is used.
		shownCode := strings.ReplaceAll(userCode.String(), `\b`, "") // Wine prints escape sequences as text before the code
		requested := regexp.MustCompile(`passphrase of the store:|` + shownCode)
		if strings.HasPrefix(r.stderr.await(t, requested), "passphrase") {
			r.paste(passphrase + "\r")
		}
		code := r.stderr.await(t, regexp.MustCompile(shownCode))
		r.stderr.await(t, regexp.MustCompile(regexp.QuoteMeta(o.url+"/device")))
		newWebUser(t).approve(o.url + "/device?user_code=" + code)
		r.wait(0)
		if strings.Contains(r.stderr.String(), passphrase) {
			t.Error("the screen shows the passphrase")
		}
		shown := regexp.MustCompile(`(next|then): \S*mcp-login env ` + name + ` .* --format powershell`)
		if !shown.MatchString(r.stderr.String()) {
			t.Errorf("the next command is not for PowerShell:\n%s", r.stderr.String())
		}
		h.env = append(h.env, "MCP_LOGIN_PASSPHRASE="+passphrase)
		if got := h.want(0, "token", name, "--store", `file:C:\`+name, "--keeper", "passphrase"); !o.active(strings.TrimSpace(got.stdout)) {
			t.Error("the server does not accept the token")
		}
		h.env = h.env[:len(h.env)-1]
	}
}

// TestWindowsPaste: the console accepts the pasted URL of a redirect, and Ctrl-C.
func TestWindowsPaste(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	h := newWindowsHome(t)
	atConsole := func(name string) *terminal {
		cmd := h.command(t.Context(), "login", name, o.mcp(), "--flow", "paste")
		cmd.Env = append(cmd.Env, "NO_COLOR=1")
		r := h.startOnTerminal(cmd, 1000) // Wine wraps lines
		r.stderr.await(t, regexp.MustCompile(`paste it here>`))
		r.awaitRaw()
		return r
	}
	r := atConsole("box")
	end := newWebUser(t).redirectOnOtherMachine(o, r.stderr.await(t, authLink))
	r.paste(strings.Replace(end, "state=", "state=x", 1) + "\r")
	r.stderr.await(t, regexp.MustCompile(`this answer belongs to another sign-in`))
	r.paste(end + "\r")
	r.wait(0)
	if !o.active(h.token("box")) {
		t.Error("the server does not accept the token")
	}
	r = atConsole("other")
	r.paste("\x03")
	r.wait(130)
}

// awaitRaw waits until Wine reads the terminal in raw mode.
func (t *terminal) awaitRaw() {
	t.h.t.Helper()
	raw, err := t.tty.SyscallConn()
	if err != nil {
		t.h.t.Fatal(err)
	}
	if !await.Until(func() (ready bool) {
		err := raw.Control(func(fd uintptr) {
			mode, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
			ready = err == nil && mode.Lflag&unix.ECHO == 0
		})
		return err == nil && ready
	}) {
		t.h.t.Fatal("Wine does not read the terminal")
	}
}
