//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
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

// startPages starts the demo server, which waits for somebody at its pages.
func startPages(t *testing.T) *demoserver.Server {
	t.Helper()
	var demo http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { demo.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	s, err := demoserver.New(demoserver.Config{URL: web.URL, Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	demo = s
	return s
}

var (
	shownLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/device\?user_code=([A-Z0-9-]+)`)
	formField = regexp.MustCompile(`name="form" value="([^"]+)"`)
)

// approveAt approves a sign-in on the demo's page, which must show the same code.
func approveAt(t *testing.T, said string) {
	t.Helper()
	link := shownLink.FindStringSubmatch(said)
	if link == nil {
		t.Fatalf("no link in %q", said)
	}
	resp, err := http.Get(link[0])
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	html, err := io.ReadAll(resp.Body)
	form := formField.FindSubmatch(html)
	if err != nil || form == nil || !strings.Contains(string(html), link[1]) {
		t.Fatalf("the page of %s: %v\n%s", link[0], err, html)
	}
	done, err := http.PostForm(strings.Split(link[0], "?")[0], url.Values{"user_code": {link[1]}, "form": {string(form[1])}, "decision": {"approve"}})
	if err != nil {
		t.Fatal(err)
	}
	done.Body.Close()
	if done.StatusCode != http.StatusOK {
		t.Fatalf("the approval ended with %s", done.Status)
	}
}

// listenForSignIn starts the HTTP form for somebody who is not signed in.
func (h *home) listenForSignIn(t *testing.T, server string) string {
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

// happened is one thing that a client in the hands of signin.mjs reports.
type happened struct {
	Tools   []string
	Text    string
	Page    *struct{ Mode, URL, Message string }
	Closed  bool
	Changed bool
}

// signsIn has the client of a TypeScript SDK sign in, and reports what happens to it.
func (h *home) signsIn(t *testing.T, major, server, how string, each func(happened)) {
	t.Helper()
	modules, err := provide("tssdk")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("tssdk/signin.mjs")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script, major, server, how)
	cmd.Env = append(h.env, "TSSDK="+modules)
	talk := newWatched()
	cmd.Stderr = talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		noteSaid(lines.Text())
		var one happened
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		each(one)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the client: %v\n%s", err, talk.String())
	}
}

// TestProxySignInTypeScript: a client of either major starts before anybody has
// signed in, its user approves on the server's page, and the tools appear.
func TestProxySignInTypeScript(t *testing.T) {
	t.Parallel()
	demo, all := startPages(t), t
	for _, sdk := range []string{sessionSDK, statelessSDK} {
		for _, how := range []string{"tool", "elicitation"} {
			for _, way := range []string{"stdio", "http"} {
				t.Run(sdk+" "+how+" "+way, func(t *testing.T) {
					h := newHome(all) // which lasts until the proxy has ended
					through := program + " proxy " + demo.MCP()
					if way == "http" {
						through = h.listenForSignIn(t, demo.MCP())
					}
					var lists [][]string
					var texts []string
					var changed, closed int
					h.signsIn(t, sdk, through, how, func(one happened) {
						switch {
						case one.Tools != nil:
							lists = append(lists, one.Tools)
						case one.Page != nil:
							if one.Page.Mode != "url" || !strings.Contains(one.Page.Message, "Approve only a code that you asked for yourself.") {
								t.Errorf("asked for %+v", one.Page)
							}
							approveAt(t, one.Page.URL)
						case one.Closed:
							closed++
						case one.Changed:
							changed++
						default:
							if texts = append(texts, one.Text); how == "tool" && len(texts) == 1 {
								approveAt(t, one.Text)
							}
						}
					})
					if len(lists) != 2 || !slices.Equal(lists[0], []string{"sign_in"}) || !slices.Contains(lists[1], "add") || slices.Contains(lists[1], "sign_in") {
						t.Errorf("tools before and after: %q", lists)
					}
					if n := len(texts); n < 2 || !strings.HasPrefix(texts[n-2], "Signed in to ") || texts[n-1] != "5" {
						t.Errorf("the calls say %q", texts)
					}
					if changed == 0 || how == "elicitation" && closed != 1 {
						t.Errorf("%d changes, %d pages done with", changed, closed)
					}
					noteIssued(h.token(strings.TrimSpace(h.want(0, "list").stdout)))
				})
			}
		}
	}
}

// TestProxySignInGo: the same with the client of the Go SDK.
func TestProxySignInGo(t *testing.T) {
	t.Parallel()
	demo, all := startPages(t), t
	for _, how := range []string{"tool", "elicitation"} {
		for _, way := range []string{"stdio", "http"} {
			t.Run(how+" "+way, func(t *testing.T) {
				h := newHome(all) // which lasts until the proxy has ended
				var transport mcp.Transport = &mcp.CommandTransport{Command: h.command(t.Context(), "proxy", demo.MCP())}
				if way == "http" {
					transport = &mcp.StreamableClientTransport{Endpoint: h.listenForSignIn(t, demo.MCP())}
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
				ctx, cancel := context.WithTimeout(t.Context(), patience)
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
				said := call("sign_in", nil)
				if how == "tool" {
					approveAt(t, said)
					said = call("sign_in", nil)
				}
				if !strings.HasPrefix(said, "Signed in to ") {
					t.Errorf("sign_in says %q", said)
				}
				for what, heard := range map[string]chan bool{"tool": changed, "elicitation": closed} {
					if what == "elicitation" && how != what {
						continue
					}
					select {
					case <-heard:
					case <-ctx.Done():
						t.Fatalf("the client hears of no %s", what)
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
