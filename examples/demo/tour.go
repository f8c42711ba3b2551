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

// listTools asks an MCP server for its tools, in the form that both the
// sessionless and the older protocol versions take.
const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`

// callWithEnv is what the user would type: the variables by eval, the token to
// curl through its standard input, so that it is in no process list.
const callWithEnv = `eval "$(mcp-login env demo)"
printf 'Authorization: %s\n' "$MCP_DEMO_AUTHORIZATION" |
  curl -sS -f -H @- -H 'Content-Type: application/json' \
    -H 'Accept: application/json, text/event-stream' \
    --data '` + listTools + `' \
    "$MCP_DEMO_URL"`

// tourist runs the real program through a login, in a separate home folder.
type tourist struct {
	out     io.Writer
	program string // absolute; its folder is first in PATH
	home    string
	env     []string
	step    int
}

// tour shows discovery, login, use, refresh and logout, and fails if any step
// does. auto is the time after which the server approves; 0: the user does.
func tour(ctx context.Context, out io.Writer, program, mcpURL string, auto time.Duration) error {
	t, err := newTourist(out, program)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(t.home) }() // a scratch folder of this run
	return t.travel(ctx, mcpURL, auto)
}

func newTourist(out io.Writer, program string) (*tourist, error) {
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
	return &tourist{out: out, program: program, home: home, env: env}, nil
}

func (t *tourist) travel(ctx context.Context, mcpURL string, auto time.Duration) error {
	fmt.Fprint(t.out, "This signs in to a demo server on this machine, uses the token and signs out.\nIt takes a minute, and leaves your own credentials as they are.\n")
	t.say("Ask the server how to sign in. Nothing is stored yet.")
	if err := t.show(ctx, "mcp-login", "discover", mcpURL); err != nil {
		return err
	}

	t.say("Sign in. The program registers itself, shows a code and waits for approval.")
	if auto > 0 {
		fmt.Fprintf(t.out, "   The server approves by itself after %s.\n", printable.Duration(auto))
	} else {
		fmt.Fprintf(t.out, "   Open the URL that appears in a browser on this machine, and approve there.\n%s", elsewhere(mcpURL, "make demo AUTO=5s", "   "))
	}
	if err := t.show(ctx, "mcp-login", "login", "demo", mcpURL, "--flow", "device"); err != nil {
		return err
	}

	t.say("Use it: put the token into the environment, and list the server's tools.")
	if err := t.listTools(ctx, mcpURL); err != nil {
		return err
	}

	t.say("Refresh: a new access token, and a new refresh token in place of the old one.")
	before, err := t.output(ctx, "mcp-login", "headers", "demo")
	if err != nil {
		return err
	}
	if err := t.show(ctx, "mcp-login", "refresh", "demo"); err != nil {
		return err
	}
	after, err := t.output(ctx, "mcp-login", "headers", "demo")
	if err != nil {
		return err
	}
	if bytes.Equal(before, after) {
		return errors.New("the refresh changed nothing")
	}

	t.say("Show what is stored, without secrets.")
	if err := t.show(ctx, "mcp-login", "status", "demo"); err != nil {
		return err
	}

	t.say("Sign out: revoke the tokens at the server and delete them here.")
	if err := t.show(ctx, "mcp-login", "logout", "demo"); err != nil {
		return err
	}
	return t.expectOver(ctx, mcpURL, after)
}

// elsewhere says how to approve where this machine has no browser.
func elsewhere(mcpURL, auto, indent string) string {
	u, err := url.Parse(mcpURL)
	if err != nil {
		return ""
	}
	return indent + "No browser here? Run this on your laptop, and open the URL there:\n" +
		indent + "  ssh -L " + u.Port() + ":" + u.Host + " HOST\n" +
		indent + "Or let the server approve by itself: " + auto + "\n"
}

// listTools calls the server as a shell user would, or from here where curl or
// sh is missing.
func (t *tourist) listTools(ctx context.Context, mcpURL string) error {
	var answer []byte
	if have("sh") && have("curl") {
		fmt.Fprintln(t.out, "   $ "+strings.ReplaceAll(callWithEnv, "\n", "\n     "))
		var err error
		if answer, err = t.output(ctx, "sh", "-e", "-c", callWithEnv); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(t.out, "   $ mcp-login headers demo    (and a POST with them, because curl is not installed)")
		headers, err := t.output(ctx, "mcp-login", "headers", "demo")
		if err != nil {
			return err
		}
		var status int
		if status, answer, err = post(ctx, mcpURL, headers); err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("tools/list answered %d", status)
		}
	}
	names, err := toolNames(answer)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, "   The server's tools: "+strings.Join(names, ", "))
	return nil
}

// expectOver verifies the logout: neither the program nor the server still has
// the token.
func (t *tourist) expectOver(ctx context.Context, mcpURL string, headers []byte) error {
	const loginRequired = 4
	cmd := t.command(ctx, "mcp-login", "headers", "demo")
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
	fmt.Fprintln(t.out, "   The server now rejects the old token with 401.\n\nDone: every step worked.")
	return nil
}

func (t *tourist) say(text string) {
	t.step++
	fmt.Fprintf(t.out, "\n%d. %s\n", t.step, text)
}

// show runs a command as if typed.
func (t *tourist) show(ctx context.Context, args ...string) error {
	fmt.Fprintln(t.out, "   $ "+strings.Join(args, " "))
	cmd := t.command(ctx, args...)
	cmd.Stdout = t.out
	cmd.Stdin = os.Stdin
	return named(args, cmd.Run())
}

// output runs a command and returns its output.
func (t *tourist) output(ctx context.Context, args ...string) ([]byte, error) {
	out, err := t.command(ctx, args...).Output()
	return out, named(args, err)
}

func (t *tourist) command(ctx context.Context, args ...string) *exec.Cmd {
	name := args[0]
	if name == "mcp-login" {
		name = t.program
	}
	cmd := exec.CommandContext(ctx, name, args[1:]...)
	cmd.Env = t.env
	cmd.Dir = t.home
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func named(args []string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", args[0], strings.Join(args[1:min(len(args), 2)], ""), err)
	}
	return nil
}

func have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// post sends tools/list with headers given as a JSON object.
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
func toolNames(answer []byte) ([]string, error) {
	for line := range bytes.Lines(answer) {
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			answer = data
		}
	}
	var list struct {
		Result struct {
			Tools []struct {
				Name string `json:"name"`
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, fmt.Errorf("read the answer of tools/list: %w", err)
	}
	var names []string
	for _, tool := range list.Result.Tools {
		names = append(names, tool.Name)
	}
	if len(names) == 0 {
		return nil, errors.New("the answer of tools/list has no tools")
	}
	return names, nil
}
