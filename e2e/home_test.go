//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/envexport"
)

// home is a user's account: a private HOME, and no other environment variables of this
// machine.
type home struct {
	t       testing.TB
	dir     string
	env     []string
	flags   []string // flags of every command
	program string   // "": the program under test
}

func newHome(t testing.TB) *home {
	t.Helper()
	dir := t.TempDir()
	return &home{t: t, dir: dir, env: []string{
		"HOME=" + dir,
		"XDG_DATA_HOME=" + filepath.Join(dir, "data"),
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"),
		"XDG_STATE_HOME=" + filepath.Join(dir, "state"),
		"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"),
		"PATH=" + filepath.Dir(program) + ":/usr/local/bin:/usr/bin:/bin",
	}}
}

// result is the result of one run of the program.
type result struct {
	stdout, stderr string
	code           int // -1: killed by a signal
}

// secretCommands are the commands whose standard output may contain a secret.
var secretCommands = []string{"env", "token", "headers", "exec", "sh"}

// command returns a command that runs the program, or sh.
func (h *home) command(ctx context.Context, args ...string) *exec.Cmd {
	path := cmp.Or(h.program, program)
	if args[0] == "sh" {
		path, args = "/bin/sh", args[1:]
	} else {
		args = slices.Concat(args[:1], h.flags, args[1:])
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = h.env
	cmd.Dir = h.dir
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// commandTimeout stops a run that hangs. A small machine needs a long time for hundreds
// of concurrent processes.
const commandTimeout = 5 * time.Minute

// run runs the program without a terminal, and waits for it.
func (h *home) run(args ...string) result {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), commandTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := h.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		h.t.Fatal(err)
	}
	r := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	recordOutput(r.stderr)
	if !slices.Contains(secretCommands, args[0]) {
		recordOutput(r.stdout)
	}
	return r
}

// want runs the program and fails unless it exits with this code. On failure, standard
// output must be empty, or the command that makes eval fail.
func (h *home) want(code int, args ...string) result {
	h.t.Helper()
	r := h.run(args...)
	if r.code != code {
		h.t.Fatalf("mcp-login %s: exit code %d, want %d\n%s", strings.Join(args, " "), r.code, code, r.stderr)
	}
	failing := args[0] == "env" && r.stdout == envexport.Failure(envexport.Sh, code)
	if code != 0 && r.stdout != "" && !failing {
		h.t.Errorf("mcp-login %s failed, but wrote to standard output: %q", strings.Join(args, " "), r.stdout)
	}
	return r
}

// token returns the stored access token, refreshed if needed.
func (h *home) token(name string) string {
	h.t.Helper()
	return strings.TrimSpace(h.want(0, "token", name).stdout)
}

// running is a process of the program.
type running struct {
	h      *home
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *outputBuffer
}

// start starts the program without waiting for it.
func (h *home) start(args ...string) *running {
	h.t.Helper()
	r := &running{h: h, stderr: newOutputBuffer()}
	r.cmd = h.command(h.t.Context(), args...)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, r.stderr
	if err := r.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait() // the process state has the exit code
		close(r.stderr.closed)
	}()
	return r
}

// result waits for the program to exit, and returns its result.
func (r *running) result() result {
	<-r.stderr.closed
	got := result{r.stdout.String(), r.stderr.String(), r.cmd.ProcessState.ExitCode()}
	recordOutput(got.stderr)
	if len(r.cmd.Args) < 2 || !slices.Contains(secretCommands, r.cmd.Args[1]) {
		recordOutput(got.stdout)
	}
	return got
}

// wait waits for the program to exit, and fails unless the exit code is the expected
// one.
func (r *running) wait(code int) result {
	r.h.t.Helper()
	got := r.result()
	if got.code != code {
		r.h.t.Fatalf("%s: exit code %d, want %d\n%s", r.cmd, got.code, code, got.stderr)
	}
	return got
}

// killAfter kills the program after a time, and reports whether it was still running.
func (r *running) killAfter(d time.Duration) bool {
	timer := time.AfterFunc(d, func() { _ = r.cmd.Process.Kill() }) // it may have exited
	<-r.stderr.closed
	timer.Stop()
	recordOutput(r.stderr.String())
	status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// writeProgram writes a script with a separate process. A file that this process has
// open for writing would be inherited by the processes of other tests, and could not be
// executed meanwhile (https://go.dev/issue/22315).
func writeProgram(path, text string) error {
	write := exec.Command("sh", "-c", `cat >"$0" && chmod 755 "$0"`, path)
	write.Stdin = strings.NewReader(text)
	return write.Run()
}
