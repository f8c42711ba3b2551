package sshbrowser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/subprocess"
)

// PortAnswer is printed by a remote host without Unix sockets, instead of a path.
const PortAnswer = "port"

// SSH runs the system's ssh to one host.
type SSH struct {
	Host     string
	Options  []string // of ssh_config, such as Port=2222
	Links    string   // folder of the links to hosts
	In       io.Reader
	Out, Err io.Writer

	control string // path of the shared connection's socket; "": no shared connection
}

// Session connects and serves the browser while it runs words on the host, or a
// shell. If the browser cannot be served, warn is called and the session
// continues. An error of ssh itself is an [*exec.ExitError].
func (s *SSH) Session(ctx context.Context, h *Helper, words []string, warn func(error)) error {
	dir, err := os.MkdirTemp("", "mcp-login-") // 0700, and short enough for sockets
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // sockets only
	if runtime.GOOS == "windows" {           // its ssh shares no connections and forwards no sockets
		options, end, err := s.shareLink(ctx, h)
		if err != nil {
			warn(err)
			options, end = nil, func() {}
		}
		defer end()
		return s.run(ctx, options, words)
	}
	s.control = filepath.Join(dir, "c")
	if err := s.master(ctx); err != nil {
		return err
	}
	defer func() { _ = s.command(context.Background(), []string{"-O", "exit"}).Run() }() // it may have already ended
	end, err := s.share(ctx, h, filepath.Join(dir, "b"))
	if err != nil {
		warn(err)
		end = func() {}
	}
	defer end()
	return s.run(ctx, nil, words)
}

// command prepares ssh. The host cannot be an option, and "--" ends them.
func (s *SSH) command(ctx context.Context, options []string, words ...string) *exec.Cmd {
	var args []string
	if s.control != "" {
		args = []string{"-S", s.control}
	}
	for _, option := range s.Options {
		args = append(args, "-o", option)
	}
	args = append(append(args, options...), "--", s.Host)
	return subprocess.WithoutInput(ctx, "ssh", append(args, words...)...)
}

// master connects. Ssh asks for a password or passphrase on the terminal itself.
func (s *SSH) master(ctx context.Context) error {
	cmd := s.command(ctx, []string{"-M", "-N", "-f", "-o", "ControlPersist=no"})
	cmd.Stderr = s.Err
	return cmd.Run()
}

// run runs the user's session.
func (s *SSH) run(ctx context.Context, options, words []string) error {
	cmd := s.command(ctx, options, words...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	return cmd.Run()
}

// share serves the browser at a socket here and forwards it to the host over the
// shared connection.
func (s *SSH) share(ctx context.Context, h *Helper, socket string) (end func(), err error) {
	at, err := s.prepare(ctx, "")
	if err != nil {
		return nil, err
	}
	var link Link
	if at == PortAnswer {
		if link, err = LinkTo(s.Links, s.Host); err != nil {
			return nil, err
		}
		at, h.Secret = "127.0.0.1:"+strconv.Itoa(link.Remote), link.Secret
	} else if !strings.HasPrefix(at, "/") || strings.ContainsAny(at, ":\n") {
		return nil, errors.New("mcp-login on the host printed no path")
	}
	l, remove, err := privsock.Listen(socket)
	if err != nil {
		return nil, err
	}
	stop := background(ctx, h, l)
	end = func() { stop(); remove() }
	_, err = s.output(s.command(ctx, []string{"-O", "forward", "-R", at + ":" + socket}))
	if err != nil {
		err = fmt.Errorf("the host refused to forward a socket (AllowStreamLocalForwarding in its sshd_config): %w", err)
	} else if link.Secret != "" {
		err = s.Announce(ctx, link)
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// shareLink serves the browser at a port here, and returns the options that forward
// it.
func (s *SSH) shareLink(ctx context.Context, h *Helper) (options []string, end func(), err error) {
	l, link, err := s.Link(ctx, h)
	if err != nil {
		return nil, nil, err
	}
	return []string{"-R", link.Forward()}, background(ctx, h, l), nil
}

// Forward is what ssh's -R takes for a link.
func (l Link) Forward() string {
	return fmt.Sprintf("127.0.0.1:%d:127.0.0.1:%d", l.Remote, l.Local)
}

// background serves until the returned function is called.
func background(ctx context.Context, h *Helper, l net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Serve(ctx, l) }() // ssh continues without it
	return func() { cancel(); <-done }
}

// Announce announces a link to the host. The secret goes to mcp-login's standard
// input there.
func (s *SSH) Announce(ctx context.Context, l Link) error {
	_, err := s.prepare(ctx, l.Secret, "--remote-port", strconv.Itoa(l.Remote))
	return err
}

// prepare runs mcp-login on the host and returns what it printed. If it is not
// found, it may be in a folder that only a login shell looks in.
func (s *SSH) prepare(ctx context.Context, input string, flags ...string) (string, error) {
	line := strings.Join(append([]string{"mcp-login browser --remote"}, flags...), " ")
	out, err := s.remotely(ctx, input, line)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 127 {
		out, err = s.remotely(ctx, input, `"$SHELL" -lc '`+line+`'`)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 127 {
		return "", errors.New("mcp-login is not installed there")
	}
	if err != nil {
		return "", fmt.Errorf("run mcp-login on %s: %w", s.Host, err)
	}
	return out, nil
}

func (s *SSH) remotely(ctx context.Context, input, line string) (string, error) {
	cmd := s.command(ctx, []string{"-o", "ClearAllForwardings=yes"}, line) // those of ssh_config may be taken
	if input != "" {
		cmd.Stdin = strings.NewReader(input + "\n")
	}
	return s.output(cmd)
}

// saidError is a failure of ssh in its own words, which say more than its exit code.
type saidError struct {
	text string
	err  error
}

func (e *saidError) Error() string { return e.text }
func (e *saidError) Unwrap() error { return e.err }

// output runs ssh and returns what it printed, and as its error the last line that
// it complained with.
func (s *SSH) output(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); err != nil && lines[0] != "" {
		err = &saidError{text: strings.TrimSpace(lines[len(lines)-1]), err: err}
	}
	return strings.TrimSpace(string(out)), err
}
