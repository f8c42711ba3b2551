//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// sshHost is a real sshd on loopback, with separate keys and configuration.
type sshHost struct {
	t    *testing.T
	dir  string
	args []string
}

func startSSHD(t *testing.T, more ...string) *sshHost {
	t.Helper()
	h := &sshHost{t: t, dir: t.TempDir()}
	at := func(name string) string { return filepath.Join(h.dir, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	port := strconv.Itoa(freePorts(t))
	config := fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\n"+
		"PasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\nStreamLocalBindUnlink yes\n",
		port, at("host"), at("user.pub")) + strings.Join(append(more, ""), "\n")
	known, err := os.ReadFile(at("host.pub"))
	if err == nil {
		err = errors.Join(
			os.WriteFile(at("sshd_config"), []byte(config), 0o600),
			os.WriteFile(at("known"), fmt.Appendf(nil, "[127.0.0.1]:%s %s", port, known), 0o600),
		)
	}
	if os.Geteuid() == 0 {
		err = errors.Join(err, os.MkdirAll("/run/sshd", 0o755)) // the folder that its service creates
	}
	if err != nil {
		t.Fatal(err)
	}
	sshd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", at("sshd_config"))
	stderr := newOutputBuffer()
	sshd.Stderr = stderr
	sshd.WaitDelay = time.Second // its sessions use the stream too
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = sshd.Wait() // its log has the error
		close(stderr.closed)
	}()
	t.Cleanup(func() {
		_ = sshd.Process.Kill() // it may have exited
		<-stderr.closed
	})
	stderr.await(t, regexp.MustCompile("Server listening on 127.0.0.1 port "+port))
	h.args = []string{"-F", "none", "-i", at("user"), "-p", port, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile=" + at("known"), "-o", "GlobalKnownHostsFile=none", "-o", "LogLevel=ERROR"}
	return h
}

// ssh returns a command that connects with these options and this command.
func (h *sshHost) ssh(words ...string) *exec.Cmd {
	var options, command []string
	for i := 0; i < len(words); i++ {
		if len(command) == 0 && strings.HasPrefix(words[i], "-") {
			options = append(options, words[i])
			if words[i] != "-N" {
				i++
				options = append(options, words[i])
			}
			continue
		}
		command = append(command, words[i])
	}
	args := append(append(h.args, options...), "127.0.0.1")
	cmd := exec.CommandContext(h.t.Context(), "ssh", append(args, command...)...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// TestEscapeLineForwards enters the escape sequence that a sign-in prints into a real
// ssh with a terminal: the running connection forwards the port, and the browser
// completes the sign-in. Both ends are this machine, so the laptop's end of the port is
// on another loopback address.
func TestEscapeLineForwards(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host := newRemoteHost(t)
	login := host.ssh.ssh("-o", "RequestTTY=force", "-o", "EnableEscapeCommandline=yes", program, "login", "box", o.mcp(), "--flow", "paste")
	login.Env = append(os.Environ(), "TERM=xterm")
	r := newHome(t).startOnTerminal(login, 80)
	hint := r.stderr.await(t, regexp.MustCompile(`or press Enter, ~C, (-L (\d+):127\.0\.0\.1:\d+) \(needs EnableEscapeCommandline\)`))
	line := regexp.MustCompile(`-L (\d+)\S+`).FindStringSubmatch(hint)
	short := r.stderr.await(t, regexp.MustCompile(`http://127\.0\.0\.1:`+line[1]+`/[A-Z2-7]+ `))
	r.stderr.await(t, regexp.MustCompile(`paste it here> `))

	r.paste("\r~C")
	r.stderr.await(t, regexp.MustCompile(`ssh> `))
	laptop := "127.0.0.2:" + line[1]
	r.paste(strings.Replace(line[0], "-L ", "-L 127.0.0.2:", 1) + "\r")
	await.True(t, "ssh listens", func() bool {
		c, err := net.Dial("tcp", laptop)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	p := newWebUser(t)
	p.client.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "127.0.0.1:"+line[1] {
			address = laptop
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	if at := p.signIn(strings.TrimSpace(short)); !strings.Contains(at.body, "You are signed in") {
		t.Errorf("the browser ended at %s:\n%s", at.url, at.body)
	}
	r.wait(0)
	if token := host.token("box"); !o.active(token) {
		t.Error("the server does not accept the token")
	}
}
