package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// Runner runs a provider's command-line tool without a shell and returns its
// standard output. Secrets are passed through stdin.
type Runner func(ctx context.Context, stdin string, argv ...string) (stdout string, err error)

// maxOutput limits the output of a tool and an HTTP response, in bytes.
const maxOutput = 1 << 20

// Exec is the Runner that runs a tool on PATH. Its errors contain no output,
// which may be secret.
func Exec(ctx context.Context, stdin string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("%w: %s is not installed in this job", ErrUnsupported, argv[0])
		}
		return "", fmt.Errorf("run %s: %w", strings.Join(argv[:min(len(argv), 3)], " "), err)
	}
	if out.Len() > maxOutput {
		return "", fmt.Errorf("run %s: it printed more than %d bytes", argv[0], maxOutput)
	}
	return out.String(), nil
}

func (j Job) run(ctx context.Context, stdin string, argv ...string) (string, error) {
	if j.Run == nil {
		return Exec(ctx, stdin, argv...)
	}
	return j.Run(ctx, stdin, argv...)
}

// canAppendTo returns an error if appendTo would fail. It writes nothing, but
// creates the file if needed.
func (j Job) canAppendTo(variable string) error { return j.appendTo(variable, "") }

// appendTo appends text to the file that a variable of the job names, in one
// write and on a new line, because existing content may not end in a newline.
// It does not follow symbolic links, which the runner never uses here.
func (j Job) appendTo(variable, text string) (err error) {
	path := j.Getenv(variable)
	if path == "" {
		return fmt.Errorf("%w: %s is not set", ErrUnsupported, variable)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s names %q, which is not a regular file", variable, path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if text == "" {
		return nil
	}
	whole, err := endsInNewline(f)
	if err != nil {
		return err
	}
	if !whole {
		text = "\n" + text
	}
	_, err = f.WriteString(text)
	return err
}

// endsInNewline reports whether the file is empty or ends in a newline.
func endsInNewline(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return true, err
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return last[0] == '\n', err
}
