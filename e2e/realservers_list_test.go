//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A realServer is an authorization server of another project, with an MCP server that
// accepts its tokens, and the expected behavior.
type realServer struct {
	name string // as in docs/compatibility.md
	// start starts the server with tokens of this lifetime in seconds, and returns its
	// origin. The MCP server is at /mcp.
	start func(t *testing.T, lifetime int) string
	// flows are the flows that the server supports, with the flags that each needs.
	flows map[string][]string
	// signInPages completes the pages from the link to the end of a sign-in: approve or
	// deny.
	signInPages func(p *webUser, link string, approve bool)
	// relayFolder is the server's folder, if a sign-in through a relay is tested; "": it
	// is not.
	relayFolder string
	// noDenial is the reason why a user cannot deny; "": they can.
	noDenial string
	// setsLifetime means that the lifetime of its tokens can be set.
	setsLifetime        bool
	registersClients    bool // RFC 7591
	revokesAccessTokens bool // access tokens (RFC 7009)
	// refusesRevocation are the flows whose tokens the server does not revoke, with an
	// error.
	refusesRevocation []string
	remarks           string
}

var realServers = []*realServer{
	{
		name: "Better Auth 1.7 (`@better-auth/mcp`, device plugin)",
		start: func(t *testing.T, lifetime int) string {
			return startServerProgram(t, lifetime, "better-auth", "better-auth", "node", "server.mjs")
		},
		flows:        map[string][]string{"device": nil, "paste": nil},
		relayFolder:  "better-auth",
		signInPages:  signInAs("somebody@example.com", "any password"),
		setsLifetime: true, registersClients: true,
		remarks: "revokes refresh tokens, but not its access tokens, which are JWTs",
	},
	{
		name: "Cloudflare workers-oauth-provider 1.2",
		start: func(t *testing.T, lifetime int) string {
			return startServerProgram(t, max(lifetime, 60), "workers", "workers", "node", "server.mjs")
		},
		flows:            map[string][]string{"paste": nil},
		relayFolder:      "workers",
		signInPages:      signInAs("somebody@example.com", "any"),
		registersClients: true, revokesAccessTokens: true,
		remarks: "its tokens contain colons and an e-mail address",
	},
	{
		name: "Ory Hydra 2.3",
		start: func(t *testing.T, lifetime int) string {
			hydra, err := provide("hydra")
			if err != nil {
				t.Fatal(err)
			}
			return startServerProgram(t, lifetime, "hydra", "", "node", "server.mjs", hydra)
		},
		flows:        map[string][]string{"paste": nil},
		signInPages:  signInAs("somebody@example.com", "any"),
		setsLifetime: true, registersClients: true, revokesAccessTokens: true,
	},
	{
		name: "zitadel/oidc 3.52 (its example server)",
		start: func(t *testing.T, lifetime int) string {
			zitadel, err := provide("zitadel")
			if err != nil {
				t.Fatal(err)
			}
			return startServerProgram(t, lifetime, "zitadel", "", zitadel)
		},
		flows: map[string][]string{
			"device": {"--client-id", "mcp-login-device", "--client-secret-from", "env:DEVICE_SECRET"},
			"paste":  {"--client-id", "mcp-login"},
		},
		signInPages:         signInAtZitadel,
		noDenial:            "its sign-in page for browsers has no button to deny",
		revokesAccessTokens: true,
		remarks:             "no refresh token with a device code; does not record the client of that access token, so it rejects its revocation",
		refusesRevocation:   []string{"device"},
	},
}

// startServerProgram starts a server from a folder of this module, with the
// node_modules of that name ("": none), and returns the origin that it prints.
func startServerProgram(t *testing.T, lifetime int, folder, modules string, argv ...string) string {
	t.Helper()
	return startServerProgramWithEnv(t, []string{"ACCESS_TTL=" + strconv.Itoa(lifetime)}, folder, modules, argv...)
}

// startServerProgramWithEnv starts a server with additional environment variables.
func startServerProgramWithEnv(t *testing.T, env []string, folder, modules string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = t.TempDir()
	if err := os.CopyFS(cmd.Dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if modules != "" {
		dir, err := provide(modules)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(cmd.Dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
	}
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
	t.Cleanup(func() {
		_ = stdin.Close() // stops the server and the processes that it started
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = stdin.Close()
		_ = cmd.Wait()
		t.Fatalf("%s did not start: %v\n%s", folder, err, stderr.String())
	}
	return strings.TrimSpace(line)
}

// signInAs returns a function that completes the pages of this folder's servers: a form
// for the name and password, then one for consent.
func signInAs(login, password string) func(p *webUser, link string, approve bool) {
	return func(p *webUser, link string, approve bool) {
		p.t.Helper()
		at := p.submit(p.get(link), url.Values{"login": {login}, "password": {password}})
		p.submit(at, url.Values{"accept": {map[bool]string{true: "yes", false: "no"}[approve]}})
	}
}

var confirmation = regexp.MustCompile(`location\.href='([^']*=(allowed|denied))'`)

func signInAtZitadel(p *webUser, link string, approve bool) {
	p.t.Helper()
	at := p.submit(p.get(link), url.Values{"username": {"test-user@127.0.0.1"}, "password": {"verysecure"}})
	for _, button := range confirmation.FindAllStringSubmatch(at.body, -1) {
		if to, err := at.url.Parse(button[1]); err == nil && (button[2] == "allowed") == approve {
			p.get(to.String())
		}
	}
}

// acceptsToken reports whether the MCP server answers a call with the token.
func acceptsToken(t *testing.T, mcp, token string) bool {
	t.Helper()
	return acceptsTokenFrom(t, http.DefaultClient, mcp, token)
}

func acceptsTokenFrom(t *testing.T, client *http.Client, mcp, token string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, mcp, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK
}
