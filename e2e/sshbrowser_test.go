//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sshTo returns the arguments of mcp-login ssh that lead to an sshd.
func sshTo(host *sshHost) []string {
	args := []string{"ssh", "127.0.0.1", "--browser-command", "true"}
	for i := 0; i < len(host.args); i += 2 {
		switch name, value := host.args[i], host.args[i+1]; name {
		case "-i":
			args = append(args, "--ssh-option", "IdentityFile="+value)
		case "-p":
			args = append(args, "--ssh-option", "Port="+value)
		case "-o":
			args = append(args, "--ssh-option", value)
		}
	}
	return args
}

// TestSSHBrowser: a remote host finds the laptop's browser through a real sshd,
// with no word of its command line naming the socket, until the connection ends.
func TestSSHBrowser(t *testing.T) {
	t.Parallel()
	remote := newHome(t)
	host := startSSHD(t, "SetEnv "+strings.Join(remote.env, " "))
	demo := startDemo(t)
	res := newHome(t).run(append(sshTo(host), "--", program, "discover", demo.MCP())...)
	if res.code != 0 || strings.Contains(res.stdout, "no browser can be opened here") || strings.Contains(res.stderr, "warning") {
		t.Errorf("exit code %d, %s\n%s", res.code, res.stdout, res.stderr)
	}
	folder := filepath.Join(remote.dir, "state", "mcp-login", "browser")
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the socket: %v, %v", info, err)
	}
	if out := remote.run("discover", demo.MCP()); !strings.Contains(out.stdout, "no browser can be opened here") {
		t.Errorf("after the connection ended: %s", out.stdout)
	}
}

// TestSSHBrowserRefused: a host that forwards no sockets gets its session all the
// same.
func TestSSHBrowserRefused(t *testing.T) {
	t.Parallel()
	remote := newHome(t)
	host := startSSHD(t, "AllowStreamLocalForwarding no", "SetEnv "+strings.Join(remote.env, " "))
	res := newHome(t).run(append(sshTo(host), "--", "exit", "7")...)
	if res.code != 7 || !strings.Contains(res.stderr, "AllowStreamLocalForwarding") {
		t.Errorf("exit code %d\n%s", res.code, res.stderr)
	}
}
