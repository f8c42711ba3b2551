package agentd

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// firstPassed is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstPassed = 3

// ForwardName is the limited socket's name, in the audit log and to a service
// manager (FileDescriptorName= in systemd.socket(5)).
const ForwardName = "forward"

// Inherited returns the sockets that a service manager passed to this process,
// by sd_listen_fds(3). The one called [ForwardName] is limited to the profiles
// in allow.
func Inherited(getenv func(string) string, allow []string) ([]Socket, error) {
	files, err := passedFiles(getenv)
	if err != nil {
		return nil, err
	}
	var sockets []Socket
	for i, f := range files {
		s := Socket{Name: "agent"}
		if f.Name() == ForwardName {
			s.Name, s.Allow = ForwardName, append([]string{}, allow...) // none means none
		}
		if s.Listener, err = Inherit(f); err != nil {
			return nil, fmt.Errorf("LISTEN_FDS: file %d: %w", firstPassed+i, err)
		}
		sockets = append(sockets, s)
	}
	limited := slices.ContainsFunc(sockets, func(s Socket) bool { return s.Name == ForwardName })
	if len(sockets) > 0 && limited != (len(allow) > 0) {
		return nil, errors.New("agent: --allow and a socket named " + ForwardName + " must be used together")
	}
	return sockets, nil
}

// passedFiles returns the files that a service manager passed, with the names
// that it gave them. The variables that say so are for one process alone, so
// they are unset.
func passedFiles(getenv func(string) string) ([]*os.File, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("LISTEN_FDS=%q is not a number", getenv("LISTEN_FDS"))
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	var files []*os.File
	for i := range n {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		files = append(files, os.NewFile(uintptr(firstPassed+i), name))
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}
