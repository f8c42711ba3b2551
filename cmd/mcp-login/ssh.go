package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
)

type sshOptions struct {
	common
	options list
	command string
}

func newSSH(e *call) *cli.Command {
	var o sshOptions
	return e.command(&cli.Command{
		Name: "ssh", Usage: "Connect over SSH, with sign-ins opening in this machine's browser",
		ArgsUsage: "HOST [ARGUMENT...]", UsageText: "mcp-login ssh devbox",
		Description: "It runs ssh HOST and forwards a private socket. " +
			"On HOST, mcp-login login then opens this machine's browser. ARGUMENT is a command to run on HOST; put the flags of that command after --. " +
			"The exit code is the one from ssh.",
		Flags: []cli.Flag{
			sshOptionFlag(&o.options),
			browserCommandFlag(&o.command),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runSSH(ctx, e, o, args) })
}

func sshOptionFlag(options *list) cli.Flag {
	return listFlag("ssh-option", "ssh_config `OPTION`, such as Port=2222 (repeatable)", options)
}

func runSSH(ctx context.Context, e *call, o sshOptions, args []string) error {
	host := args[0]
	s, err := sshTo(e, host, o.options)
	if err != nil {
		return err
	}
	h, err := browserHelper(e, o.command, host)
	if err != nil {
		return err
	}
	h.Asked = nil // the remote session uses the terminal
	err = s.Session(ctx, h, args[1:], func(err error) {
		e.say("warning: sign-ins on %s cannot open this machine's browser: %v", host, err)
	})
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ended.ExitCode() > 0 {
		return &exit.Error{Code: ended.ExitCode()} // ssh has printed its error
	}
	if err != nil {
		return fmt.Errorf("run ssh: %w", err)
	}
	return nil
}

// sshTo returns the sshbrowser.SSH for a host.
func sshTo(e *call, host string, options []string) (*sshbrowser.SSH, error) {
	if strings.HasPrefix(host, "-") {
		return nil, exit.Usagef("%q is not a host; use --ssh-option for options of ssh", host)
	}
	links, err := e.dirs().Writable(e.dirs().BrowserLinks())
	if err != nil {
		return nil, err
	}
	return &sshbrowser.SSH{Host: host, Options: options, Links: links, In: e.in, Out: e.out, Err: e.streams().RawErr()}, nil
}
