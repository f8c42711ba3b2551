package ci

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// CapturedError means that nothing was exported, because a command such as a
// mask would not have reached the runner.
type CapturedError struct {
	Stream string // "standard error" or "standard output"
	Why    string
}

// Error names the stream and what redirects it.
func (e *CapturedError) Error() string {
	return fmt.Sprintf("%s does not reach the runner: %s", e.Stream, e.Why)
}

// log returns the stream on which the runner reads commands. That is standard
// error if the runner reads it: `eval "$(...)"` would execute standard output,
// and `x=$(...)` would hide it from the runner.
func (j Job) log() io.Writer {
	if j.Provider == TeamCity {
		return j.Out
	}
	return j.Err
}

// command prints commands to the runner, one per line, unless another program
// captures the stream.
func (j Job) command(lines string) error {
	if why := j.captured(); why != "" {
		stream := "standard error"
		if !j.Provider.ReadsErr() {
			stream = "standard output"
		}
		return &CapturedError{stream, why}
	}
	_, err := io.WriteString(j.log(), lines)
	return err
}

// captured returns why the log's stream does not reach the runner; "" if it
// does, or if that is unknown: for a custom writer, or for a pipe on a system
// without Linux's /proc.
func (j Job) captured() string {
	f, ok := j.log().(*os.File)
	if !ok {
		return ""
	}
	stream, err := f.Stat()
	if err != nil {
		return "it is closed"
	}
	// No runner reads these.
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(stream, null) {
		return "it is " + os.DevNull
	}
	if stream.Mode().IsRegular() {
		return "it is a file"
	}
	by := redirector(stream)
	if by == 0 || !j.belongsToStep(by) {
		return ""
	}
	return fmt.Sprintf("%s (process %d) redirects it", filepath.Base(program(by)), by)
}

// redirector returns the nearest ancestor process whose standard output and
// error differ from this stream, and which therefore redirected it: the runner,
// or a program that captures the output. It returns 0 if unknown.
func redirector(stream os.FileInfo) int {
	for pid := os.Getppid(); pid > 0; pid = parent(pid) {
		if _, err := os.Stat(proc(pid, "fd")); err != nil {
			return 0
		}
		has := false
		for _, fd := range []string{"1", "2"} {
			other, err := os.Stat(proc(pid, "fd/"+fd))
			if os.IsPermission(err) {
				return 0
			}
			has = has || err == nil && os.SameFile(stream, other)
		}
		if !has {
			return pid
		}
	}
	return 0
}

// shells are programs that redirect the streams of their children and are not
// runners.
var shells = []string{"sh", "bash", "dash", "ash", "busybox", "ksh", "ksh93", "mksh", "yash", "zsh", "fish"}

// belongsToStep reports whether a process belongs to this step and is not its runner. On
// GitHub and Gitea that is every process with the step's GITHUB_ENV. On other providers
// it is only a shell: Azure's runner starts a task that is not a shell, and reads the
// output of the task's shell through it
// (https://github.com/microsoft/azure-pipelines-task-lib/blob/master/node/toolrunner.ts).
func (j Job) belongsToStep(pid int) bool {
	if slices.Contains(shells, filepath.Base(program(pid))) {
		return true
	}
	if j.Provider != GitHub && j.Provider != Gitea {
		return false
	}
	environ, err := os.ReadFile(proc(pid, "environ"))
	if err != nil {
		return false
	}
	mine := []byte("GITHUB_ENV=" + j.Getenv("GITHUB_ENV"))
	return slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(v []byte) bool { return bytes.Equal(v, mine) })
}

// program returns the path of the program that a process runs.
func program(pid int) string {
	path, err := os.Readlink(proc(pid, "exe"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(path, " (deleted)")
}

// parent returns the PID of a process's parent, or 0.
func parent(pid int) int {
	stat, err := os.ReadFile(proc(pid, "stat"))
	if err != nil {
		return 0
	}
	// "PID (NAME) STATE PARENT ...", where the name may contain any character.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return ppid
}

func proc(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
