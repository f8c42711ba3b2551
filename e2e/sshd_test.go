//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sshHost is a real sshd on loopback, with keys and a configuration of its own.
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
		err = errors.Join(err, os.MkdirAll("/run/sshd", 0o755)) // what its service makes
	}
	if err != nil {
		t.Fatal(err)
	}
	sshd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", at("sshd_config"))
	talk := newWatched()
	sshd.Stderr = talk
	sshd.WaitDelay = time.Second // its sessions have the stream too
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = sshd.Wait() // its log says it
		close(talk.closed)
	}()
	t.Cleanup(func() {
		_ = sshd.Process.Kill() // it may have ended
		<-talk.closed
	})
	talk.await(t, regexp.MustCompile("Server listening on 127.0.0.1 port "+port))
	h.args = []string{"-F", "none", "-i", at("user"), "-p", port, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile=" + at("known"), "-o", "GlobalKnownHostsFile=none", "-o", "LogLevel=ERROR"}
	return h
}

// ssh prepares a connection with the given options and command.
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
