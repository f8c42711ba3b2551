//go:build e2e && clients && linux

package e2e

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// dialogClient is a client that asks the user at its terminal to open a page. Without a
// terminal it declines.
type dialogClient struct {
	serve func(*model, http.ResponseWriter, []byte)
	// argv prepares the home for the client and returns its command.
	argv func(d *clientHome, m *model) []string
	// typesRequest means that the user types the request, because the model would get one
	// on the command line before it gets the tools.
	typesRequest bool
	// question is the text on the screen when the client asks. Enter agrees.
	question string
	// confirmDone is the text on the screen when the client needs another Enter after the
	// user is done with the page; "": it waits for the server's notification.
	confirmDone string
	exitCommand string // makes the client exit
}

// dialogClients has the clients by their names in client-config.
var dialogClients = map[string]dialogClient{
	"claude-code": {serve: anthropic, argv: func(d *clientHome, m *model) []string {
		argv := realClients["claude-code"].argv(d, m)
		d.env = append(d.env, "ANTHROPIC_API_KEY=", "ANTHROPIC_AUTH_TOKEN=stand-in") // an API key would require confirmation
		d.writeFile(".claude.json", fmt.Sprintf(`{"hasCompletedOnboarding":true,"projects":{%q:{"hasTrustDialogAccepted":true}}}`, d.dir))
		return append([]string{argv[0], "--permission-mode", "default"}, argv[3:]...)
	}, typesRequest: true, question: "wants to open a URL", exitCommand: "/exit"},
	"codex": {serve: responses, argv: func(d *clientHome, m *model) []string {
		argv := realClients["codex"].argv(d, m)
		return append([]string{argv[0], "--no-alt-screen", "-a", "on-request"}, argv[3:]...)
	}, question: "Action required", confirmDone: "I finished", exitCommand: "/quit"},
	"copilot-cli": {serve: completions, argv: func(d *clientHome, m *model) []string {
		realClients["copilot-cli"].argv(d, m)
		d.writeFile(".copilot/config.json", fmt.Sprintf(`{"trusted_folders":[%q]}`, d.dir))
		return []string{"copilot", "--allow-all-tools", "-i", request}
	}, question: "wants you to visit", exitCommand: "/exit"},
}

// TestClientsSignInAtDialog: a client asks its user at the terminal to open a page. The
// user agrees and approves on the page, and the model then calls a tool of the server.
// Codex shows a page only if its URL has https.
func TestClientsSignInAtDialog(t *testing.T) {
	demo, web := servePages(t, httptest.NewTLSServer)
	for name, tt := range dialogClients {
		t.Run(name, func(t *testing.T) {
			d := newClientHome(t)
			m := startModel(t, tt.serve)
			argv := tt.argv(d, m)
			d.writeFile("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})))
			d.want(0, "client-config", "demo", demo.MCP(), "--for", name, "--via", "proxy", "--write", "--ca-cert", filepath.Join(d.dir, "ca.pem"), "--program", d.trafficRecorder())
			cmd := exec.Command(filepath.Join(d.bin, argv[0]), argv[1:]...)
			cmd.Env, cmd.Dir = append(d.env, "TERM=xterm-256color"), d.dir
			k := keyboard{terminaltest.Start(t, cmd, 80, 40), t}
			if tt.typesRequest {
				k.WaitUntil("the client has the tools", func() bool { return strings.Contains(d.readFile("from-proxy"), `"name":"sign_in"`) })
				k.enter(request, func() bool { return m.progressSoFar().calls > 0 })
			}
			tt.agree(t, d, k, web.Client())
			k.WaitFor("you are demo")
			checkDialog(t, d.readFile("from-proxy"))
			if progress := m.progressSoFar(); progress.approved || !progress.calledTool || !progress.gotResult {
				t.Errorf("the model approved %t, called the tool %t, and got its result %t", progress.approved, progress.calledTool, progress.gotResult)
			}
			k.enter(tt.exitCommand, k.hasExited)
		})
	}
}

// agree answers the client's question and approves on the page.
func (c dialogClient) agree(t *testing.T, d *clientHome, k keyboard, browser *http.Client) {
	t.Helper()
	shows := func(text string) func() bool {
		return func() bool { return strings.Contains(k.Screen(), text) && shownLink.MatchString(k.Screen()) }
	}
	agreed := func() bool { return strings.Contains(d.readFile("from-client"), `"action":"accept"`) }
	k.WaitUntil("the client asks", shows(c.question))
	asking := k.Screen()
	link := shownLink.FindStringSubmatch(asking)
	if !strings.Contains(asking, "with the code "+link[1]) {
		t.Errorf("the client does not show the code:\n%s", asking)
	}
	if c.confirmDone == "" {
		k.enter("", agreed)
		approveWith(t, browser, link[0])
		return
	}
	k.enter("", shows(c.confirmDone))
	approveWith(t, browser, link[0])
	k.enter("", agreed)
}

// checkDialog checks that the proxy asked once, reported that the page is done, and
// only then answered the call.
func checkDialog(t *testing.T, text string) {
	t.Helper()
	at := -1
	for _, part := range []string{`"method":"elicitation/create"`, `"method":"notifications/elicitation/complete"`, "Signed in to "} {
		next := strings.Index(text, part)
		if next <= at || strings.Count(text, part) > 1 && part != "Signed in to " {
			t.Errorf("%s is missing or in the wrong order in\n%s", part, text)
		}
		at = next
	}
}

// trafficRecorder writes a program that runs the proxy and records both directions, and
// returns its path.
func (h *clientHome) trafficRecorder() string {
	h.t.Helper()
	h.writeFile("record-traffic", fmt.Sprintf("#!/bin/sh\ntee -a '%[1]s/from-client' | '%[2]s' \"$@\" | tee -a '%[1]s/from-proxy'\n", h.dir, program))
	path := filepath.Join(h.dir, "record-traffic")
	if err := os.Chmod(path, 0o700); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// readFile returns the content of a file, or "" if it does not exist yet.
func (h *clientHome) readFile(name string) string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return string(text)
}

// keyboard types on a terminal.
type keyboard struct {
	*terminaltest.Terminal
	t *testing.T
}

// enter types a text, and presses Enter separately, because both at once count as
// pasted text. It repeats that until the condition is true: a dialog may drop keys
// right after it appears.
func (k keyboard) enter(text string, holds func() bool) {
	k.t.Helper()
	keys := []string{text, "\r"}
	var again time.Time
	k.WaitUntil("the client accepts keys", func() bool {
		if holds() {
			return true
		}
		if now := time.Now(); now.After(again) {
			again = now.Add(time.Second)
			_, _ = k.PTY.WriteString(keys[0]) // fails after the client has exited
			keys = []string{keys[1], keys[0]}
		}
		return false
	})
}

// hasExited reports whether the client has exited.
func (k keyboard) hasExited() bool {
	select {
	case <-k.Over:
		return true
	default:
		return false
	}
}
