//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// startPages starts the demo server, which waits for approval on its pages.
func startPages(t *testing.T) *demoserver.Server {
	t.Helper()
	demo, _ := servePages(t, httptest.NewServer)
	return demo
}

// servePages is startPages with a function that starts the server.
func servePages(t *testing.T, serve func(http.Handler) *httptest.Server) (*demoserver.Server, *httptest.Server) {
	t.Helper()
	var demo http.Handler
	web := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { demo.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	s, err := demoserver.New(demoserver.Config{URL: web.URL, Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	demo = s
	return s, web
}

var (
	shownLink    = regexp.MustCompile(`https?://127\.0\.0\.1:\d+/device\?user_code=([A-Z0-9-]+)`)
	continueLink = regexp.MustCompile(`<a href="([^"]+)" rel="noreferrer">Continue to `) // on the relay's page
	formField    = regexp.MustCompile(`name="form" value="([^"]+)"`)
)

// approveAt approves a sign-in on the demo's page, which must show the same code.
func approveAt(t *testing.T, message string) {
	t.Helper()
	approveWith(t, http.DefaultClient, message)
}

// approveWith is approveAt with a specific HTTP client.
func approveWith(t *testing.T, browser *http.Client, message string) {
	t.Helper()
	link := shownLink.FindStringSubmatch(message)
	if link == nil {
		t.Fatalf("no link in %q", message)
	}
	resp, err := browser.Get(link[0])
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	form := formField.FindSubmatch(text)
	if err != nil || form == nil || !strings.Contains(string(text), link[1]) {
		t.Fatalf("the page of %s: %v\n%s", link[0], err, text)
	}
	done, err := browser.PostForm(strings.Split(link[0], "?")[0], url.Values{"user_code": {link[1]}, "form": {string(form[1])}, "decision": {"approve"}})
	if err != nil {
		t.Fatal(err)
	}
	done.Body.Close()
	if done.StatusCode != http.StatusOK {
		t.Fatalf("the approval ended with %s", done.Status)
	}
}

// startSignInProxy starts the HTTP form of the proxy for a user who is not signed in.
func (h *home) startSignInProxy(t *testing.T, server string) string {
	t.Helper()
	r := h.start("proxy", server, "--listen", "127.0.0.1:0")
	t.Cleanup(func() {
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		r.wait(0)
	})
	line := r.stderr.await(t, regexp.MustCompile(` at (http://127\.0\.0\.1:\d+/\w{26}),`))
	return strings.TrimSuffix(strings.TrimPrefix(line, " at "), ",")
}

// clientEvent is one event that signin.mjs reports.
type clientEvent struct {
	Tools   []string
	Text    string
	Page    *struct{ Mode, URL, Message string }
	Closed  bool
	Changed bool
}

// runSignInClient signs in with a TypeScript SDK's client, and calls handle for every
// event.
func (h *home) runSignInClient(t *testing.T, major, server, how string, handle func(clientEvent)) {
	t.Helper()
	modules, err := provide("tssdk")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("tssdk/signin.mjs")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script, major, server, how)
	cmd.Env = append(h.env, "TSSDK="+modules)
	stderr := newOutputBuffer()
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		recordOutput(lines.Text())
		var event clientEvent
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		handle(event)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the client: %v\n%s", err, stderr.String())
	}
}

// TestProxySignInTypeScript: a client of either major version starts before the user
// has signed in. The user approves on the server's page, and the tools appear.
func TestProxySignInTypeScript(t *testing.T) {
	t.Parallel()
	demo, all := startPages(t), t
	for _, sdk := range []string{sessionSDK, statelessSDK} {
		for _, how := range []string{"tool", "elicitation"} {
			for _, way := range []string{"stdio", "http"} {
				t.Run(sdk+" "+how+" "+way, func(t *testing.T) {
					h := newHome(all) // which must exist until the proxy has stopped
					through := program + " proxy " + demo.MCP()
					if way == "http" {
						through = h.startSignInProxy(t, demo.MCP())
					}
					var lists [][]string
					var texts []string
					var changed, closed int
					h.runSignInClient(t, sdk, through, how, func(event clientEvent) {
						switch {
						case event.Tools != nil:
							lists = append(lists, event.Tools)
						case event.Page != nil:
							if event.Page.Mode != "url" || !strings.Contains(event.Page.Message, "Approve only if you started this sign-in yourself and the page shows this code.") {
								t.Errorf("page %+v", event.Page)
							}
							approveAt(t, event.Page.URL)
						case event.Closed:
							closed++
						case event.Changed:
							changed++
						default:
							if texts = append(texts, event.Text); how == "tool" && len(texts) == 1 {
								approveAt(t, event.Text)
							}
						}
					})
					if len(lists) != 2 || !slices.Equal(lists[0], []string{"sign_in"}) || !slices.Contains(lists[1], "add") || slices.Contains(lists[1], "sign_in") {
						t.Errorf("tools before and after: %q", lists)
					}
					if n := len(texts); n < 2 || !strings.HasPrefix(texts[n-2], "Signed in to ") || texts[n-1] != "5" {
						t.Errorf("the calls return %q", texts)
					}
					if changed == 0 || how == "elicitation" && closed != 1 {
						t.Errorf("%d changes of the tools, %d completed pages", changed, closed)
					}
					recordTokens(h.token(strings.TrimSpace(h.want(0, "list").stdout)))
				})
			}
		}
	}
}

// TestProxySignInGo does the same with the client of the Go SDK.
func TestProxySignInGo(t *testing.T) {
	t.Parallel()
	demo, all := startPages(t), t
	for _, how := range []string{"tool", "elicitation"} {
		for _, way := range []string{"stdio", "http"} {
			t.Run(how+" "+way, func(t *testing.T) {
				h := newHome(all) // which must exist until the proxy has stopped
				var transport mcp.Transport = &mcp.CommandTransport{Command: h.command(t.Context(), "proxy", demo.MCP())}
				if way == "http" {
					transport = &mcp.StreamableClientTransport{Endpoint: h.startSignInProxy(t, demo.MCP())}
				}
				changed, closed := make(chan bool, 99), make(chan bool, 99)
				opts := &mcp.ClientOptions{ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- true }}
				if how == "elicitation" {
					opts.Capabilities = &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}}
					opts.ElicitationHandler = func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
						approveAt(t, r.Params.URL)
						return &mcp.ElicitResult{Action: "accept"}, nil
					}
					opts.ElicitationCompleteHandler = func(context.Context, *mcp.ElicitationCompleteNotificationRequest) { closed <- true }
				}
				ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
				defer cancel()
				c, err := mcp.NewClient(&mcp.Implementation{Name: "e2e"}, opts).Connect(ctx, transport, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				call := func(name string, args map[string]any) string {
					result, err := c.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
					if err != nil {
						t.Fatal(err)
					}
					return result.Content[0].(*mcp.TextContent).Text
				}
				text := call("sign_in", nil)
				if how == "tool" {
					approveAt(t, text)
					text = call("sign_in", nil)
				}
				if !strings.HasPrefix(text, "Signed in to ") {
					t.Errorf("sign_in returns %q", text)
				}
				for what, notified := range map[string]chan bool{"tool": changed, "elicitation": closed} {
					if what == "elicitation" && how != what {
						continue
					}
					select {
					case <-notified:
					case <-ctx.Done():
						t.Fatalf("the client gets no %s", what)
					}
				}
				tools, err := c.ListTools(ctx, nil)
				if err != nil || !slices.ContainsFunc(tools.Tools, func(tool *mcp.Tool) bool { return tool.Name == "add" }) {
					t.Errorf("tools %v, %v", tools, err)
				}
				if got := call("add", map[string]any{"a": 2, "b": 3}); got != "5" {
					t.Errorf("2 + 3 = %q", got)
				}
			})
		}
	}
}

// signInClient starts the proxy with a client of the Go SDK that cannot open pages.
func signInClient(t *testing.T, cmd *exec.Cmd) (call func(redirect string) string) {
	t.Helper()
	stderr := newOutputBuffer()
	cmd.Stderr = stderr
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	t.Cleanup(cancel)
	c, err := mcp.NewClient(&mcp.Implementation{Name: "e2e"}, nil).Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	t.Cleanup(func() {
		_ = c.Close()
		recordOutput(stderr.String())
	})
	return func(redirect string) string {
		t.Helper()
		args := map[string]any{}
		if redirect != "" {
			args["redirect_url"] = redirect
		}
		result, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "sign_in", Arguments: args})
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		text := result.Content[0].(*mcp.TextContent).Text
		recordOutput(text)
		return text
	}
}

// TestProxySignInRelay: with a relay, the client shows its short link and code, and any
// browser can open the link.
func TestProxySignInRelay(t *testing.T) {
	t.Parallel()
	o, h, r := startOIDC(t, settings{}), newHome(t), newRelayBalancer(t)
	relay := r.add(h)
	call := signInClient(t, h.command(t.Context(), "proxy", o.mcp(), "--name", "box", "--flow", "relay", "--relay", r.url, "--relay-token-from", "file:"+filepath.Join(h.dir, "relay-token")))
	text := call("")
	link := relayLink.FindString(text)
	if link == "" || !strings.Contains(text, "code "+link[len(link)-9:]) || !strings.Contains(text, "Approve only if you started this sign-in yourself and the page shows this code.") {
		t.Fatalf("sign_in returns %q", text)
	}
	p := newWebUser(t)
	on := continueLink.FindStringSubmatch(p.submit(p.get(link), nil).body)
	if on == nil {
		t.Fatal("the relay's page has no link")
	}
	at := p.signIn(html.UnescapeString(on[1]))
	if !strings.Contains(at.body, "Almost done") {
		t.Errorf("the browser ended at %s:\n%s", at.url, at.body)
	}
	if text := call(""); !strings.HasPrefix(text, "Signed in to ") || !o.active(h.token("box")) {
		t.Errorf("sign_in returns %q", text)
	}
	stopReplica(relay)
}

// TestProxySignInPaste: without the device flow, a browser or a relay, the client shows
// the authorization URL. The listener on this machine receives the redirect of a
// browser here. With a browser on another machine, the user pastes the URL of the
// redirect.
func TestProxySignInPaste(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	for _, onOtherMachine := range []bool{false, true} {
		h := newHome(t)
		call := signInClient(t, h.command(t.Context(), "proxy", o.mcp(), "--name", "box", "--flow", "paste"))
		text := call("")
		link := authLink.FindString(text)
		if link == "" || !strings.Contains(text, "redirect_url") || !strings.Contains(text, "Approve only if you started this sign-in yourself.") {
			t.Fatalf("sign_in returns %q", text)
		}
		ended := ""
		if !onOtherMachine {
			newWebUser(t).signIn(link)
		} else {
			ended = newWebUser(t).redirectOnOtherMachine(o, link)
			state := regexp.MustCompile(`state=[^&]+`)
			for _, wrong := range []string{"the code is abc", state.ReplaceAllString(ended, "state=of-another")} {
				if text := call(wrong); !strings.HasPrefix(text, "The URL was not accepted: ") || !strings.Contains(text, link) {
					t.Errorf("pasted %q: %q", wrong, text)
				}
			}
		}
		if text := call(ended); !strings.HasPrefix(text, "Signed in to ") || !o.active(h.token("box")) {
			t.Errorf("sign_in returns %q", text)
		}
	}
}

// TestProxySignInOverSSH: a client on a laptop starts the proxy on a remote host, and
// the sign-in opens the laptop's browser.
func TestProxySignInOverSSH(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host, laptop := newRemoteHost(t), newHome(t)
	opener, note := laptop.recordingBrowser()
	// The client ends the program, which ends its connection to the host.
	ctx := context.WithoutCancel(t.Context())
	call := signInClient(t, laptop.command(ctx, append(sshTo(host, opener), "--", program, "proxy", o.mcp(), "--name", "box")...))
	text := make(chan string, 1)
	go func() { text <- call("") }()
	p := newWebUser(t)
	at := p.signIn(linkOf(t, p.get(waitForOpenedURL(t, note)), "go"))
	if !strings.Contains(at.body, "Return to your terminal") {
		t.Errorf("the browser ended at %s:\n%s", at.url, at.body)
	}
	if text := <-text; !strings.HasPrefix(text, "Signed in to ") || !o.active(host.token("box")) {
		t.Errorf("sign_in returns %q", text)
	}
}
