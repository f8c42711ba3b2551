package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestQuirksInClient signs in from inside an MCP client at a server with each known
// quirk, by each flow. The sign-in succeeds, or fails like one at a terminal.
func TestQuirksInClient(t *testing.T) {
	for _, q := range oauthtest.Quirks() {
		for _, flow := range []string{"device", "paste"} {
			t.Run(q.Name+"/"+flow, func(t *testing.T) {
				run := func(t *testing.T, f func(*testing.T)) { f(t) }
				if flow == "device" {
					run = synctest.Test
				} else {
					t.Parallel() // the tool waits for the client to list the tools, by the real clock
				}
				run(t, func(t *testing.T) {
					p := newPath(t, flow, []oauthtest.Quirk{q})
					p.inClient = true
					if !p.take("login") {
						p.take("call")
					}
				})
			})
		}
	}
}

// mcpClient is a client of the proxy, with a user who follows its instructions.
type mcpClient struct {
	p   *path
	in  io.Writer
	out *bufio.Scanner
	id  int
}

// result sends a request and returns its result.
func (c *mcpClient) result(method string, params any) (result map[string]json.RawMessage, err error) {
	c.id++
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	if _, err := c.in.Write(append(text, '\n')); err != nil {
		return nil, err
	}
	for c.out.Scan() {
		for _, secret := range c.p.srv.Issued() {
			if strings.Contains(c.out.Text(), secret) {
				c.p.t.Errorf("a secret is sent to the client: %s", c.out.Text())
			}
		}
		var m struct {
			ID     int
			Result map[string]json.RawMessage
		}
		if err := json.Unmarshal(c.out.Bytes(), &m); err != nil {
			return nil, err
		}
		if m.ID == c.id {
			return m.Result, nil
		}
	}
	return nil, fmt.Errorf("no response to %s", method)
}

// signIn calls the sign-in tool.
func (c *mcpClient) signIn(redirect string) (text string, failed bool, err error) {
	result, err := c.result("tools/call", map[string]any{"name": "sign_in", "arguments": map[string]string{"redirect_url": redirect}})
	if err != nil {
		return "", false, err
	}
	var content []struct{ Text string }
	if err := json.Unmarshal(result["content"], &content); err != nil || len(content) != 1 {
		return "", false, fmt.Errorf("the result of sign_in is %s", result["content"])
	}
	return content[0].Text, string(result["isError"]) == "true", nil
}

// browse opens the URL in the text, and returns where the browser ends up.
func (c *mcpClient) browse(text string) (string, error) {
	for _, word := range strings.Fields(text) {
		if !strings.HasPrefix(word, "https://") || !strings.Contains(word, "response_type=code") {
			continue
		}
		req, err := http.NewRequestWithContext(c.p.t.Context(), http.MethodGet, word, nil)
		if err != nil {
			return "", err
		}
		resp, err := c.p.srv.RoundTrip(req)
		if err != nil {
			return "", err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			return "", fmt.Errorf("the browser shows HTTP error %d", resp.StatusCode)
		}
		return resp.Header.Get("Location"), nil
	}
	return "", fmt.Errorf("no URL in %q", text)
}

// clientFlow returns the flow with prompts in the client.
func (p *path) clientFlow(prompt *proxy.Prompt) flows.Flow {
	if p.flow == "device" {
		return &device.Flow{Prompt: prompt}
	}
	return &authcode.Flow{Prompt: prompt, Paste: prompt.Paste}
}

// loginInClient signs in from inside a client. It returns the error of a failed
// sign-in.
func (p *path) loginInClient(s *mcplogin.Session) (failure error) {
	up := proxy.Upstream{Session: s, Server: quirkyServer, Transport: p.srv.Client().Transport}
	up.SignIn = &proxy.SignIn{Login: func(ctx context.Context, prompt *proxy.Prompt, scopes []string) (mcplogin.Credential, error) {
		c, err := s.Login(ctx, mcplogin.LoginRequest{Flows: []flows.Flow{p.clientFlow(prompt)}, MoreScopes: scopes})
		failure = err
		return c, err
	}}
	fromClient, in := io.Pipe()
	out, toClient := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- proxy.Stdio{Upstream: up}.Run(p.t.Context(), fromClient, toClient)
		toClient.Close()
	}()
	c := &mcpClient{p: p, in: in, out: bufio.NewScanner(out)}
	c.out.Buffer(nil, 16<<20)
	err := c.follow()
	in.Close()
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if ran := <-ended; ran != nil {
		return ran
	}
	if failure != nil {
		return failure
	}
	return err
}

// follow follows the sign-in tool's instructions until the user is signed in.
func (c *mcpClient) follow() error {
	redirect := ""
	for range 100 {
		text, failed, err := c.signIn(redirect)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(text, "Signed in to "):
			list, err := c.result("tools/list", struct{}{})
			if err == nil && list["tools"] == nil {
				err = fmt.Errorf("no tools")
			}
			return err
		case failed:
			return fmt.Errorf("the result of sign_in is %s", text)
		}
		if c.p.flow == "paste" {
			if redirect, err = c.browse(text); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("the user is not signed in")
}
