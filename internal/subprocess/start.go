package subprocess

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// StartError says why a program did not start.
type StartError struct {
	Program string
	Err     error
	Missing bool // the program does not exist
	Hint    string
}

func (e *StartError) Error() string { return fmt.Sprintf("run %s: %v", e.Program, e.Err) }

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Find returns the path of a program as a shell finds it.
func Find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", startError(program, err)
	}
	return path, nil
}

// Start is Become with errors for the user.
func Start(path string, argv, environ []string) error {
	err := Become(path, argv, environ)
	if _, ended := errors.AsType[*ExitError](err); err == nil || ended {
		return err
	}
	if errors.Is(err, syscall.ENOEXEC) {
		return &StartError{
			Program: argv[0], Err: errors.New("it is neither a program for this system nor a script with a #! line"),
			Hint: "the first line of a shell script is #!/bin/sh",
		}
	}
	interpreter, missing := missingInterpreter(path)
	if !missing || !errors.Is(err, fs.ErrNotExist) {
		return startError(argv[0], err)
	}
	failed := &StartError{Program: argv[0], Err: fmt.Errorf("its interpreter %q does not exist", interpreter)}
	if strings.HasSuffix(interpreter, "\r") {
		failed.Hint = "the script has Windows line endings; save it with Unix line endings"
	}
	return failed
}

func startError(program string, err error) error {
	missing := errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
	cause := errors.Unwrap(err)
	if at, ok := errors.AsType[*fs.PathError](err); ok { // the error names the program again
		cause = at.Err
	}
	return &StartError{Program: program, Err: cause, Missing: missing}
}

// maxInterpreter is the length that Linux reads of a script's first line, in
// bytes.
const maxInterpreter = 256

// missingInterpreter returns the interpreter of a script if it does not exist:
// the system then reports that the script itself does not exist.
func missingInterpreter(path string) (string, bool) {
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	head := make([]byte, maxInterpreter)
	n, _ := io.ReadFull(f, head) // a short script is read as far as it goes
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	words := strings.FieldsFunc(strings.TrimPrefix(line, "#!"), func(r rune) bool { return r == ' ' || r == '\t' })
	if !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return "", false
	}
	_, err = os.Stat(words[0])
	return words[0], errors.Is(err, fs.ErrNotExist)
}
