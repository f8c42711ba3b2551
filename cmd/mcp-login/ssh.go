package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/subprocess"
)

type sshOptions struct {
	common
	options cli.StringSlice
	command string
}

func newSSH(e *env) *cli.Command {
	var o sshOptions
	return e.command(&cli.Command{
		Name: "ssh", Usage: "Connect to a host whose sign-ins open the browser here",
		ArgsUsage: "HOST [ARGUMENT...]", UsageText: "mcp-login ssh devbox",
		Description: "It runs ssh HOST with one shared connection and forwards a private socket to HOST. " +
			"There mcp-login login opens the browser of this machine. ARGUMENT is a command to run on HOST; flags of that command go after --. " +
			"The exit code is that of ssh.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "ssh-option", Usage: "`OPTION` of ssh_config, such as Port=2222; repeat it for more", Destination: &o.options, EnvVars: envVar("ssh-option")},
			stringFlag("browser-command", "Open the browser with `COMMAND`; its %s, or its end, is replaced by the URL (default: BROWSER, else the system's browser)", "", &o.command),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runSSH(ctx, e, o, args) })
}

func runSSH(ctx context.Context, e *env, o sshOptions, args []string) error {
	host := args[0]
	if strings.HasPrefix(host, "-") {
		return usagef("%q is not a host; use --ssh-option for options of ssh", host)
	}
	dir, err := os.MkdirTemp("", "mcp-login-") // 0700, and short enough for sockets
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // sockets only
	m := sshMaster{e: e, host: host, control: filepath.Join(dir, "c")}
	for _, option := range o.options.Value() {
		m.options = append(m.options, "-o", option)
	}
	if err := m.start(ctx); err != nil {
		return err
	}
	defer m.stop()
	end, err := m.share(ctx, o.command, filepath.Join(dir, "b"))
	if err != nil {
		e.say("warning: sign-ins on %s cannot open the browser here: %v", host, err)
	} else {
		defer end()
	}
	return m.run(ctx, args[1:])
}

// sshMaster is one connection that several ssh commands share.
type sshMaster struct {
	e       *env
	host    string
	control string // the path of its socket
	options []string
}

// command prepares ssh over the connection. The host cannot be an option, and "--"
// ends them.
func (m *sshMaster) command(ctx context.Context, options []string, words ...string) *exec.Cmd {
	args := append([]string{"-S", m.control}, m.options...)
	args = append(append(args, options...), "--", m.host)
	return subprocess.WithoutInput(ctx, "ssh", append(args, words...)...)
}

// start connects. Ssh asks for a password or passphrase on the terminal itself.
func (m *sshMaster) start(ctx context.Context) error {
	cmd := m.command(ctx, []string{"-M", "-N", "-f", "-o", "ControlPersist=no"})
	cmd.Stderr = m.e.streams().RawErr()
	return m.ended(cmd.Run())
}

func (m *sshMaster) stop() {
	_ = m.command(context.Background(), []string{"-O", "exit"}).Run() // it may have ended
}

// ended translates the end of ssh.
func (m *sshMaster) ended(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		return &codeError{code: exit.ExitCode()} // ssh has said why
	}
	if err != nil {
		return fmt.Errorf("run ssh: %w", err)
	}
	return nil
}

// share serves the browser at a socket and forwards it to the host.
func (m *sshMaster) share(ctx context.Context, command, socket string) (end func(), err error) {
	h, err := m.e.browserHelper(command, m.host)
	if err != nil {
		return nil, err
	}
	h.Asked = nil // the terminal is the remote host's
	path, err := m.output(ctx, nil, "mcp-login", "browser", "--remote")
	if err != nil {
		return nil, fmt.Errorf("mcp-login browser --remote on the host: %w", err)
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, ":\n") {
		return nil, errors.New("mcp-login on the host printed no path")
	}
	l, remove, err := privsock.Listen(socket)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Serve(ctx, l) }() // ssh goes on without it
	end = func() { cancel(); <-done; remove() }
	if _, err := m.output(ctx, []string{"-O", "forward", "-R", path + ":" + socket}); err != nil {
		end()
		return nil, fmt.Errorf("the host refused to forward a socket (AllowStreamLocalForwarding in its sshd_config): %w", err)
	}
	return end, nil
}

// output runs ssh and returns what it printed, and as its error the last line that
// it complained with.
func (m *sshMaster) output(ctx context.Context, options []string, words ...string) (string, error) {
	cmd := m.command(ctx, options, words...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); err != nil && lines[0] != "" {
		err = fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return strings.TrimSpace(string(out)), err
}

// run is the session that the person sees.
func (m *sshMaster) run(ctx context.Context, words []string) error {
	cmd := m.command(ctx, nil, words...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = m.e.in, m.e.out, m.e.streams().RawErr()
	return m.ended(cmd.Run())
}
