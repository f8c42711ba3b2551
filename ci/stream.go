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

// CapturedError means that nothing was exported, because a command to the
// runner, such as a mask, would not have reached it.
type CapturedError struct {
	Stream string // "standard error" or "standard output"
	Why    string
}

// Error names the stream and where it goes instead.
func (e *CapturedError) Error() string {
	return fmt.Sprintf("%s does not reach the runner: %s", e.Stream, e.Why)
}

// log is the stream on which the runner reads commands. It is standard error
// where runners read that too: `eval "$(...)"` runs what is on standard output,
// and `x=$(...)` hides it from the runner.
func (j Job) log() io.Writer {
	if j.Provider == TeamCity {
		return j.Out
	}
	return j.Err
}

// command gives commands to the runner, one a line, unless something else would
// read them.
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

// captured returns why the log's stream does not reach the runner, or "" where
// it does or that cannot be seen: in a writer of the caller's own, or, behind a
// pipe, on a system without Linux's /proc.
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
	if by == 0 || !j.ofStep(by) {
		return ""
	}
	return fmt.Sprintf("%s (process %d) redirects it", filepath.Base(program(by)), by)
}

// redirector returns the nearest ancestor of this process that has another
// standard output and error than this stream, and so made it: the runner, or a
// program that captures it. It returns 0 where that cannot be seen.
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

// shells redirect the streams of what they run, and none of them is a runner.
var shells = []string{"sh", "bash", "dash", "ash", "busybox", "ksh", "ksh93", "mksh", "yash", "zsh", "fish"}

// ofStep reports whether a process belongs to this step and is not its runner.
// On GitHub and Gitea that is every process that the step's GITHUB_ENV was given
// to. Elsewhere it is only a shell: Azure's runner starts a task, which is not
// one, and reads through that what the task's shell says
// (https://github.com/microsoft/azure-pipelines-task-lib/blob/master/node/toolrunner.ts).
func (j Job) ofStep(pid int) bool {
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

// parent returns a process's parent, or 0.
func parent(pid int) int {
	stat, err := os.ReadFile(proc(pid, "stat"))
	if err != nil {
		return 0
	}
	// "PID (NAME) STATE PARENT ...", where the name may hold anything.
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
