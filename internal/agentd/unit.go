package agentd

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/atomicfile"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

//go:embed systemd
var units embed.FS

// Unit is the agent as a systemd user service.
type Unit struct {
	Dir     string // folder of the user's units
	Program string // absolute path of mcp-login
}

// Change is Unit.Install or Unit.Remove.
type Change func(Unit) (steps []string, err error)

// ForUser changes the units of this user and reports each step. It returns an
// error on a system without systemd.
func (change Change) ForUser(getenv func(name string) string, say func(format string, a ...any)) error {
	u, err := userUnit(getenv)
	if err != nil {
		return err
	}
	steps, err := change(u)
	for _, line := range steps {
		say("%s", line)
	}
	return err
}

func userUnit(getenv func(name string) string) (u Unit, err error) {
	if err := checkSystemd(runtime.GOOS); err != nil {
		return u, err
	}
	if u.Program, err = installed(); err != nil {
		return u, err
	}
	u.Dir, err = unitDir(getenv)
	return u, err
}

// checkSystemd refuses a system whose services systemd does not manage, and says how the
// agent runs there.
func checkSystemd(goos string) error {
	if _, err := os.Stat("/run/systemd/system"); goos == "linux" && err == nil { // sd_booted(3)
		return nil
	}
	e := &exit.Error{
		Code: exit.Failed, Text: "systemd does not manage the services of this system, and agent install is for systemd alone",
		Hint: "run it without a service manager: " + suggest.MCPLogin("agent", "--background").String(),
	}
	if goos == "windows" {
		e.Text, e.Hint = "the agent does not run on Windows: "+privsock.ErrPeers.Error()+"; commands use the store without it", suggest.MCPLogin("store", "status").String()
	}
	return e
}

// installed returns the path of this program by which a shell finds it, if it does: a
// package manager may replace what that path leads to.
func installed() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	found, err := subprocess.Find("mcp-login")
	if err != nil || !filepath.IsAbs(found) {
		return program, nil
	}
	ours, err := os.Stat(program)
	if err != nil {
		return "", err
	}
	if theirs, err := os.Stat(found); err != nil || !os.SameFile(ours, theirs) {
		return program, nil
	}
	return found, nil
}

// unitDir returns the folder of a user's units: systemd.unit(5).
func unitDir(getenv func(name string) string) (string, error) {
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "systemd", "user"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".config", "systemd", "user"), nil
	}
	return "", errors.New("no home folder is known: set HOME or XDG_CONFIG_HOME")
}

// marker is the first line of files that may be replaced or removed.
const marker = "# mcp-login agent install wrote this file. To change it: systemctl --user edit "

// Install writes the units, unless they exist, and returns the steps done and those
// left to the user, one per line.
func (u Unit) Install() (steps []string, err error) {
	if err := os.MkdirAll(u.Dir, 0o755); err != nil { // as systemctl makes it
		return nil, err
	}
	err = u.each(func(path string, is, text []byte) error {
		if bytes.Equal(is, text) {
			steps = append(steps, "unchanged: "+path)
			return nil
		}
		steps = append(steps, "wrote "+path)
		return atomicfile.Write(path, text, 0o644)
	})
	if err != nil {
		return nil, err
	}
	return append(steps, "next: systemctl --user daemon-reload && systemctl --user enable --now mcp-login-agent.socket",
		"then: export MCP_LOGIN_AGENT_SOCK=\"$XDG_RUNTIME_DIR/mcp-login/agent.sock\""), nil
}

// Remove removes the units and the links that enable them, and returns the steps
// done and those left to the user, one per line.
func (u Unit) Remove() (steps []string, err error) {
	err = u.each(func(path string, is, _ []byte) error {
		if is == nil {
			return nil
		}
		links, err := fs.Glob(os.DirFS(u.Dir), "*.wants/"+filepath.Base(path)) // no pattern in the folder's own name
		for _, name := range append(links, filepath.Base(path)) {
			if file := filepath.Join(u.Dir, name); err == nil {
				err = os.Remove(file)
				steps = append(steps, "removed "+file)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(steps) == 0:
		return []string{"nothing is installed in " + u.Dir}, nil
	}
	return append(steps, "next: systemctl --user stop mcp-login-agent.socket mcp-login-agent.service; systemctl --user daemon-reload"), nil
}

// each calls do for each unit, with its path, its current content (nil: no file) and
// its wanted content.
func (u Unit) each(do func(path string, is, text []byte) error) error {
	if !printable.Is(u.Program) {
		return fmt.Errorf("the path of mcp-login, %q, cannot stand in a unit: move the program", u.Program)
	}
	files, err := u.files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(u.Dir, name)
		is, ownErr := own(path)
		if err = ownErr; err == nil {
			err = do(path, is, files[name])
		}
		if err != nil {
			return err
		}
	}
	return err
}

// own reads a file that Install wrote; nil if it does not exist. Any other file is
// an error.
func own(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && !bytes.HasPrefix(data, []byte(marker)):
		return nil, &exit.Error{Code: exit.Failed, Text: path + " is not from agent install, so it stays as it is", Hint: suggest.Command{"rm", path}.String()}
	}
	return data, err
}

// files returns the units by their names.
func (u Unit) files() (map[string][]byte, error) {
	entries, err := units.ReadDir("systemd")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		text, err := units.ReadFile("systemd/" + e.Name())
		if err != nil {
			return nil, err
		}
		start := "ExecStart=" + quoteUnit(u.Program) + " "
		body := strings.Replace(string(text), "ExecStart=%h/.local/bin/mcp-login ", start, 1)
		files[e.Name()] = fmt.Appendf(nil, "%s%s\n%s", marker, e.Name(), body)
	}
	return files, nil
}

// quoteUnit quotes a path for systemd.service(5), which replaces specifiers with a
// percent sign and variables with a dollar sign.
func quoteUnit(path string) string {
	path = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(path)
	if strings.ContainsAny(path, " \t'\";") {
		return `"` + path + `"`
	}
	return path
}
