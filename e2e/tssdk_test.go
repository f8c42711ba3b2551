//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// startTSSDK starts the TypeScript SDK's example server with its authorization server,
// which approves at once, and returns the MCP URL.
func startTSSDK(t *testing.T) string {
	t.Helper()
	port := freePorts(t)
	mcp, auth := strconv.Itoa(port), strconv.Itoa(port+1)
	output := startExample(t, "simpleStreamableHttp", []string{"MCP_PORT=" + mcp, "MCP_AUTH_PORT=" + auth}, "--oauth", "--oauth-strict")
	output.await(t, regexp.MustCompile(`Authorization Server listening`))
	output.await(t, regexp.MustCompile(`MCP Streamable HTTP Server listening`))
	return "http://localhost:" + mcp + "/mcp"
}

// startExample starts an example server of the TypeScript SDK, which listens only on
// loopback and stops with the test.
func startExample(t testing.TB, name string, env []string, args ...string) *outputBuffer {
	t.Helper()
	modules, err := provide("tssdk")
	if err != nil {
		t.Fatal(err)
	}
	preload, err := filepath.Abs("tssdk/loopback.mjs")
	if err != nil {
		t.Fatal(err)
	}
	example := filepath.Join(modules, "node_modules/@modelcontextprotocol/sdk/dist/esm/examples/server", name+".js")
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"--import", preload, example}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	output := newOutputBuffer()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // killed when the test ends
		close(output.closed)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-output.closed
	})
	return output
}

// TestTypeScriptSDK signs in to the TypeScript SDK's example server.
func TestTypeScriptSDK(t *testing.T) {
	t.Parallel()
	server := startTSSDK(t)
	link := regexp.MustCompile(`http://localhost:\d+/authorize\?[^\s\x1b]+`)

	t.Run("loopback", func(t *testing.T) {
		t.Parallel()
		h := newHome(t)
		h.want(0, "login", "box", server, "--browser-command", "curl -sSL -o "+filepath.Join(h.dir, "page.html"))
		if page, err := os.ReadFile(filepath.Join(h.dir, "page.html")); err != nil || !bytes.Contains(page, []byte("You are signed in")) {
			t.Errorf("the browser ended at %v:\n%s", err, page)
		}
		h.checkCalls(t)
	})
	t.Run("paste", func(t *testing.T) {
		t.Parallel()
		h := newHome(t)
		r := h.startAtTerminal("login", "box", server, "--flow", "paste")
		r.stderr.await(t, regexp.MustCompile(`paste it here> `))
		r.paste(redirectOf(t, r.stderr.await(t, link)) + "\r")
		r.wait(0)
		h.checkCalls(t)
	})
	t.Run("bare code", func(t *testing.T) { // the redirects of this server have no iss parameter
		t.Parallel()
		h := newHome(t)
		r := h.startAtTerminal("login", "box", server, "--flow", "paste")
		r.stderr.await(t, regexp.MustCompile(`paste it here> `))
		_, code, _ := strings.Cut(redirectOf(t, r.stderr.await(t, link)), "code=")
		code, _, _ = strings.Cut(code, "&")
		r.paste("\x1b[200~" + code + "\x1b[201~")
		r.wait(0)
		h.checkCalls(t)
	})
}

// redirectOf returns the URL of the redirect, as a browser on another machine would
// show it.
func redirectOf(t *testing.T, link string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	end := resp.Header.Get("Location")
	if !strings.HasPrefix(end, "http://127.0.0.1:") {
		t.Fatalf("%s sent the browser to %q", link, end)
	}
	return end
}

// checkCalls makes MCP calls with the stored token.
func (h *home) checkCalls(t *testing.T) {
	t.Helper()
	recordTokens(h.token("box"))
	got := h.want(0, "test", "box", "--call", "greet", "--args", `{"name":"Ada"}`)
	for _, want := range []string{"simple-streamable-http-server", "Hello, Ada!"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is missing:\n%s%s", want, got.stdout, got.stderr)
		}
	}
}
