//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// oidc is a running oidc-provider with an MCP server in front.
type oidc struct {
	t    testing.TB
	url  string
	http *http.Client
	stop func() // stops the server early; later calls do nothing
}

// settings change what the server does; server.mjs has the names.
type settings map[string]any

// observations are what the server recorded; see server.mjs.
type observations struct {
	Polls            []int64  `json:"polls"`
	Refreshes        int      `json:"refreshes"`
	RefusedRefreshes int      `json:"refusedRefreshes"`
	Stalled          int      `json:"stalled"`
	Registrations    int      `json:"registrations"`
	Deregistrations  int      `json:"deregistrations"`
	Documents        []string `json:"documents"`
	Revocations      []string `json:"revocations"`
	Resources        []string `json:"resources"`
	Tokens           []string `json:"tokens"`
}

// startOIDC starts a server for one test.
func startOIDC(t testing.TB, set settings) *oidc {
	t.Helper()
	return startOIDCWith(t, set, http.DefaultClient)
}

// startOIDCWith starts a server that the client can reach, with additional environment
// variables.
func startOIDCWith(t testing.TB, set settings, client *http.Client, env ...string) *oidc {
	t.Helper()
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = oidcServerDir(t)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first, err := bufio.NewReader(stdout).ReadString('\n')
	o := &oidc{t: t, url: strings.TrimSpace(first), http: client}
	o.stop = sync.OnceFunc(func() {
		if o.url != "" {
			recordTokens(o.observed().Tokens...)
		}
		_ = stdin.Close()      // a request to exit
		_ = cmd.Process.Kill() // in case it ignores the request
		_ = cmd.Wait()         // the kill signal is the expected error
	})
	t.Cleanup(o.stop)
	if err != nil {
		t.Fatalf("oidc-provider did not start: %v\n%s", err, stderr.String())
	}
	o.set(set)
	return o
}

// oidcServerDir returns a folder with the server and a link to its node_modules.
func oidcServerDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	source, err := os.ReadFile("oidc-provider/server.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "server.mjs"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(oidcModules, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mcp returns the URL of the MCP server.
func (o *oidc) mcp() string { return o.url + "/mcp" }

func (o *oidc) set(k settings) {
	o.t.Helper()
	body, err := json.Marshal(k)
	if err != nil {
		o.t.Fatal(err)
	}
	resp, err := o.http.Post(o.url+"/control", "application/json", bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		o.t.Fatalf("set %v: %s", k, resp.Status)
	}
}

func (o *oidc) observed() (s observations) {
	o.t.Helper()
	resp, err := o.http.Get(o.url + "/control")
	if err != nil {
		o.t.Fatal(err)
	}
	o.decode(resp, &s)
	return s
}

// active reports whether a token is active, according to the introspection endpoint
// (RFC 7662).
func (o *oidc) active(token string) bool {
	o.t.Helper()
	resp, err := o.http.PostForm(o.url+"/token/introspection", url.Values{
		"client_id": {"introspector"}, "client_secret": {"introspector-secret"}, "token": {token},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	var response struct{ Active bool }
	o.decode(resp, &response)
	return response.Active
}

func (o *oidc) decode(resp *http.Response, v any) {
	o.t.Helper()
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		o.t.Fatalf("%s: %s", resp.Request.URL, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		o.t.Fatal(err)
	}
}
