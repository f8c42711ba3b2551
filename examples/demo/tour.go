package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/oauth"
)

// listTools asks an MCP server for its tools, in a form that works with and
// without sessions.
const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`

// callWithEnv is what the user would type. curl reads the token from its standard
// input, so that no process list shows it.
const callWithEnv = `eval "$(mcp-login env demo)"
printf 'Authorization: %s\n' "$MCP_DEMO_AUTHORIZATION" |
  curl -sS -f -H @- -H 'Content-Type: application/json' \
    -H 'Accept: application/json, text/event-stream' \
    --data '` + listTools + `' \
    "$MCP_DEMO_URL"`

// runner runs the program in a separate home folder and prints each step.
type runner struct {
	out     io.Writer
	program string // absolute; its folder is first in PATH
	home    string
	env     []string
	step    int
}

// tour shows discovery, sign-in, use, refresh and sign-out, and fails if any step
// does. auto is the time after which the server approves; 0: the user does.
func tour(ctx context.Context, out io.Writer, program, mcpURL string, auto time.Duration) error {
	r, err := newRunner(out, program)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(r.home) }() // best effort
	return r.runSteps(ctx, mcpURL, auto)
}

func newRunner(out io.Writer, program string) (*runner, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "mcp-login-demo-")
	if err != nil {
		return nil, err
	}
	env := []string{
		"HOME=" + home,
		"PATH=" + filepath.Dir(program) + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	for _, name := range []string{"TERM", "COLORTERM", "LANG", "LC_ALL", "NO_COLOR", "COLUMNS", "SSH_CONNECTION"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return &runner{out: out, program: program, home: home, env: env}, nil
}

func (r *runner) runSteps(ctx context.Context, mcpURL string, auto time.Duration) error {
	fmt.Fprint(r.out, "This signs in to a demo server on this machine, uses the token and signs out.\nIt takes a minute, and leaves your own credentials as they are.\n")
	r.say("Ask the server how to sign in. Nothing is stored yet.")
	if err := r.show(ctx, "mcp-login", "discover", mcpURL); err != nil {
		return err
	}

	r.say("Sign in. The program registers itself, shows a code and waits for approval.")
	if auto > 0 {
		fmt.Fprintf(r.out, "   The server approves by itself after %s.\n", printable.Duration(auto))
	} else {
		fmt.Fprintf(r.out, "   Open the URL that appears in a browser on this machine, and approve there.\n%s", noBrowserHint(mcpURL, "make demo AUTO=5s", "   "))
	}
	if err := r.show(ctx, "mcp-login", "login", "demo", mcpURL, "--flow", "device"); err != nil {
		return err
	}

	r.say("Use it: put the token into the environment, and list the server's tools.")
	if err := r.listTools(ctx, mcpURL); err != nil {
		return err
	}

	r.say("Refresh: a new access token, and a new refresh token in place of the old one.")
	before, err := r.output(ctx, "mcp-login", "headers", "demo")
	if err != nil {
		return err
	}
	if err := r.show(ctx, "mcp-login", "refresh", "demo"); err != nil {
		return err
	}
	after, err := r.output(ctx, "mcp-login", "headers", "demo")
	if err != nil {
		return err
	}
	if bytes.Equal(before, after) {
		return errors.New("the refresh changed nothing")
	}

	r.say("Show what is stored, without secrets.")
	if err := r.show(ctx, "mcp-login", "status", "demo"); err != nil {
		return err
	}

	r.say("Sign out: revoke the tokens at the server and delete them here.")
	if err := r.show(ctx, "mcp-login", "logout", "demo"); err != nil {
		return err
	}
	return r.checkSignedOut(ctx, mcpURL, after)
}

// noBrowserHint explains how to approve if this machine has no browser.
func noBrowserHint(mcpURL, auto, indent string) string {
	u, err := url.Parse(mcpURL)
	if err != nil {
		return ""
	}
	return indent + "No browser here? Run this on your laptop, and open the URL there:\n" +
		indent + "  ssh -L " + u.Port() + ":" + u.Host + " HOST\n" +
		indent + "Or let the server approve by itself: " + auto + "\n"
}

// listTools calls the server with curl, as a user of a shell would, or with Go's
// HTTP client if curl or sh is missing.
func (r *runner) listTools(ctx context.Context, mcpURL string) error {
	var response []byte
	if have("sh") && have("curl") {
		fmt.Fprintln(r.out, "   $ "+strings.ReplaceAll(callWithEnv, "\n", "\n     "))
		var err error
		if response, err = r.output(ctx, "sh", "-e", "-c", callWithEnv); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(r.out, "   $ mcp-login headers demo    (and a POST with them, because curl is not installed)")
		headers, err := r.output(ctx, "mcp-login", "headers", "demo")
		if err != nil {
			return err
		}
		var status int
		if status, response, err = post(ctx, mcpURL, headers); err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("tools/list answered %d", status)
		}
	}
	names, err := toolNames(response)
	if err != nil {
		return err
	}
	fmt.Fprintln(r.out, "   The server's tools: "+strings.Join(names, ", "))
	return nil
}

// checkSignedOut verifies that neither the program nor the server still accepts the token.
func (r *runner) checkSignedOut(ctx context.Context, mcpURL string, headers []byte) error {
	const loginRequired = 4
	cmd := r.command(ctx, "mcp-login", "headers", "demo")
	cmd.Stderr = nil
	var exit *exec.ExitError
	if out, err := cmd.Output(); !errors.As(err, &exit) || exit.ExitCode() != loginRequired || len(out) > 0 {
		return fmt.Errorf("after logout, mcp-login headers ended with %v instead of exit code %d", err, loginRequired)
	}
	status, _, err := post(ctx, mcpURL, headers)
	if err != nil {
		return err
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("after logout, the server answered the old token with %d", status)
	}
	fmt.Fprintln(r.out, "   The server now rejects the old token with 401.\n\nDone: every step worked.")
	return nil
}

func (r *runner) say(text string) {
	r.step++
	fmt.Fprintf(r.out, "\n%d. %s\n", r.step, text)
}

// show runs a command as if typed.
func (r *runner) show(ctx context.Context, args ...string) error {
	fmt.Fprintln(r.out, "   $ "+strings.Join(args, " "))
	cmd := r.command(ctx, args...)
	cmd.Stdout = r.out
	cmd.Stdin = os.Stdin
	return withCommand(args, cmd.Run())
}

// output runs a command and returns its output.
func (r *runner) output(ctx context.Context, args ...string) ([]byte, error) {
	out, err := r.command(ctx, args...).Output()
	return out, withCommand(args, err)
}

func (r *runner) command(ctx context.Context, args ...string) *exec.Cmd {
	name := args[0]
	if name == "mcp-login" {
		name = r.program
	}
	cmd := exec.CommandContext(ctx, name, args[1:]...)
	cmd.Env = r.env
	cmd.Dir = r.home
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// withCommand adds the command to an error.
func withCommand(args []string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", args[0], strings.Join(args[1:min(len(args), 2)], ""), err)
	}
	return nil
}

func have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// post sends tools/list with the headers of a JSON object.
func post(ctx context.Context, mcpURL string, headers []byte) (status int, body []byte, err error) {
	var fields map[string]string
	if err := json.Unmarshal(headers, &fields); err != nil {
		return 0, nil, fmt.Errorf("read the headers: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, mcpURL, strings.NewReader(listTools))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range fields {
		req.Header.Set(name, value)
	}
	resp, err := oauth.Guard{Server: mcpURL}.Client().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, body, err
}

// toolNames parses a response to tools/list, which may be an event stream.
func toolNames(response []byte) ([]string, error) {
	for line := range bytes.Lines(response) {
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			response = data
		}
	}
	var list struct {
		Result struct {
			Tools []struct {
				Name string `json:"name"`
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal(response, &list); err != nil {
		return nil, fmt.Errorf("read the response to tools/list: %w", err)
	}
	var names []string
	for _, tool := range list.Result.Tools {
		names = append(names, tool.Name)
	}
	if len(names) == 0 {
		return nil, errors.New("the response to tools/list has no tools")
	}
	return names, nil
}
