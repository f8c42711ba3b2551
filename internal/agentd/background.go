package agentd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/subprocess"
)

// Background starts an agent that outlives the program and the terminal that start
// it.
type Background struct {
	Args    []string // its command line, without the program
	Environ []string
	Socket  func() (string, error) // path of its socket
	Log     func() (string, error) // path of the log file, in place of standard error
}

// Started is an agent that runs in the background.
type Started struct {
	PID         int
	Socket, Log string // absolute
}

// Export returns the variables that name the agent, for a shell to evaluate.
func (s Started) Export(shell envexport.Format) ([]byte, error) {
	var text bytes.Buffer
	err := envexport.Write(&text, shell, []envexport.Var{
		{Name: "MCP_LOGIN_AGENT_SOCK", Value: s.Socket}, {Name: "MCP_LOGIN_AGENT_PID", Value: strconv.Itoa(s.PID)},
	})
	return text.Bytes(), err
}

const (
	// startTime is how long an agent may take to be ready: it opens the store, which
	// may be a server.
	startTime = time.Minute
	startLook = 20 * time.Millisecond
)

// Start returns when the agent responds on its socket. If the agent exits before,
// Start returns its error.
func (b Background) Start(ctx context.Context) (s Started, err error) {
	for path, find := range map[*string]func() (string, error){&s.Socket: b.Socket, &s.Log: b.Log} {
		if *path, err = find(); err == nil {
			*path, err = filepath.Abs(*path)
		}
		if err != nil {
			return s, err
		}
	}
	log, err := openPrivate(s.Log)
	if err != nil {
		return s, fmt.Errorf("log of the agent: %w", err)
	}
	defer log.Close()
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return s, fmt.Errorf("log of the agent: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return s, err
	}
	cmd := subprocess.Detached(program, b.Args...)
	cmd.Env, cmd.Stderr = b.Environ, log
	if err := cmd.Start(); err != nil {
		return s, fmt.Errorf("start the agent: %w", err)
	}
	s.PID = cmd.Process.Pid
	if err := awaitReady(ctx, cmd, s.Socket); err != nil {
		return s, failure(err, io.NewSectionReader(log, before, maxOutput), s.Log)
	}
	return s, nil
}

// awaitReady waits until the agent responds. It kills an agent that does not.
func awaitReady(ctx context.Context, cmd *exec.Cmd, socket string) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // until this process ends
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	client := &agent.Client{Socket: socket}
	tick := time.NewTicker(startLook)
	defer tick.Stop()
	for {
		if h, err := client.Health(ctx); err == nil && h.PID == cmd.Process.Pid {
			return nil
		}
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			_ = cmd.Process.Kill() // it has ended, or does now
			<-ended
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// maxOutput limits how much is read of the log of an agent that did not start,
// in bytes.
const maxOutput = 64 << 10

// failure returns the agent's own error for why it did not start.
func failure(err error, output io.Reader, log string) error {
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fmt.Errorf("the agent is not ready: %w; its log: %s", err, log)
	}
	text, rerr := io.ReadAll(output)
	if rerr != nil {
		text = nil // the exit code is all that is known
	}
	e := &exit.Error{Code: max(ended.ExitCode(), exit.Failed), Text: fmt.Sprintf("the agent did not start (%v); its log: %s", ended, log)}
	var hints []string
	for line := range bytes.Lines(text) {
		line := strings.TrimRight(string(line), "\n")
		if said, found := strings.CutPrefix(line, "mcp-login: "); found {
			e.Text = said
		}
		for _, lead := range []string{"hint: ", "Run "} {
			if hint, found := strings.CutPrefix(line, lead); found {
				hints = append(hints, hint)
			}
		}
	}
	e.Hint = strings.Join(hints, "\n")
	return e
}
