//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// signInLink is the link that a prompt shows, for any flow.
var signInLink = regexp.MustCompile(`(?m)^ *(http://\S+(?:[?&]user_code=|[?&]client_id=)\S*)`)

// newHomeWithDeviceSecret returns a home with the secret of the only confidential
// client.
func newHomeWithDeviceSecret(t *testing.T) *home {
	h := newHome(t)
	h.env = append(h.env, "DEVICE_SECRET=secret")
	return h
}

// startSignIn starts a sign-in with one flow and returns the printed link.
func (s *realServer) startSignIn(h *home, base, flow string, flags ...string) (r *running, link string) {
	h.t.Helper()
	args := slices.Concat([]string{"login", "box", base + "/mcp", "--flow", flow}, s.flows[flow], flags)
	r = h.start(args...)
	return r, strings.TrimSpace(r.stderr.await(h.t, signInLink))
}

// signIn signs in with one flow, with a user's approval.
func (s *realServer) signIn(h *home, base, flow string) result {
	h.t.Helper()
	r, link := s.startSignIn(h, base, flow)
	s.signInPages(newWebUser(h.t), link, true)
	return r.wait(0)
}

// TestRealServers runs the main steps with real servers: discover, sign-in, call,
// refresh, sign-out, and a denied sign-in.
func TestRealServers(t *testing.T) {
	t.Parallel()
	for _, s := range realServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			base := s.start(t, 3600)
			for flow := range s.flows {
				t.Run(flow, func(t *testing.T) {
					t.Parallel()
					s.checkMainPath(t, base, flow)
				})
				t.Run(flow+" denied", func(t *testing.T) {
					t.Parallel()
					s.checkDenial(t, base, flow)
				})
			}
			t.Run("wrong client", func(t *testing.T) {
				t.Parallel()
				s.checkWrongClient(t, base)
			})
		})
	}
}

func (s *realServer) checkMainPath(t *testing.T, base, flow string) {
	h := newHomeWithDeviceSecret(t)
	if got := h.want(0, "discover", base+"/mcp").stdout; !regexp.MustCompile(`(?m)^ *` + flow + ` +yes`).MatchString(got) {
		t.Errorf("discover does not offer %s:\n%s", flow, got)
	}
	s.signIn(h, base, flow)
	first := h.token("box")
	recordTokens(first)
	if !acceptsToken(t, base+"/mcp", first) {
		t.Fatal("the MCP server does not accept the token")
	}
	last := first
	if s.refreshes(flow) {
		for range 2 { // the second refresh uses the rotated refresh token
			h.want(0, "refresh", "box")
			if last = h.token("box"); last == first || !acceptsToken(t, base+"/mcp", last) {
				t.Error("the refresh returned no new token that the MCP server accepts")
			}
			recordTokens(last)
		}
	}
	h.want(s.logoutCode(flow), "logout", "box")
	if s.revokesAccessTokens && s.logoutCode(flow) == 0 && acceptsToken(t, base+"/mcp", last) {
		t.Error("the MCP server still accepts the token after the sign-out")
	}
	h.want(4, "token", "box")
}

// refreshes reports whether this flow returns a refresh token.
func (s *realServer) refreshes(flow string) bool {
	return flow != "device" || !strings.Contains(s.remarks, "no refresh token with a device code")
}

// logoutCode returns the expected exit code of a sign-out: 1 if the server rejects the
// revocation.
func (s *realServer) logoutCode(flow string) int {
	if slices.Contains(s.refusesRevocation, flow) {
		return 1
	}
	return 0
}

func (s *realServer) checkDenial(t *testing.T, base, flow string) {
	if s.noDenial != "" && flow == "paste" {
		t.Log(s.noDenial)
		return
	}
	h := newHomeWithDeviceSecret(t)
	r, link := s.startSignIn(h, base, flow)
	s.signInPages(newWebUser(t), link, false)
	r.wait(5)
	h.want(4, "token", "box")
}

// checkWrongClient signs in as a client that the server does not know. If the user has
// to open a page first, the page shows an error, and the browser never returns.
func (s *realServer) checkWrongClient(t *testing.T, base string) {
	h := newHomeWithDeviceSecret(t)
	if _, ok := s.flows["device"]; !ok {
		r := h.start("login", "box", base+"/mcp", "--flow", "paste", "--client-id", "nobody", "--wait", "5s")
		newWebUser(t).get(strings.TrimSpace(r.stderr.await(t, signInLink)))
		r.wait(6)
		return
	}
	h.env = append(h.env, "DEVICE_SECRET=wrong")
	flags := cmp.Or(strings.Join(s.flows["device"], " "), "--client-id nobody")
	r := h.run(slices.Concat([]string{"login", "box", base + "/mcp", "--flow", "device"}, strings.Fields(flags))...)
	if r.code != 1 || !strings.Contains(r.stderr, "client") || strings.Contains(r.stderr, "no device") {
		t.Errorf("exit code %d, and the error does not name the client:\n%s", r.code, r.stderr)
	}
}

// TestRealServersStorm runs 30 processes that request one expired token. If the
// server's token lifetime is fixed, they all refresh a valid one.
func TestRealServersStorm(t *testing.T) {
	for _, s := range realServers {
		t.Run(s.name, func(t *testing.T) {
			const lifetime = 5
			base := s.start(t, lifetime)
			h := newHomeWithDeviceSecret(t)
			s.signIn(h, base, "paste")
			command := "refresh"
			if s.setsLifetime {
				command = "token"
				time.Sleep((lifetime + 1) * time.Second) // real time: the server's token expires
			}
			all := make([]*running, 30)
			for i := range all {
				all[i] = h.start(command, "box")
			}
			for i, r := range all {
				if got := r.result(); got.code != 0 {
					t.Errorf("process %d: exit code %d\n%s", i, got.code, got.stderr)
				}
			}
			h.want(0, "refresh", "box") // a refresh token that was used twice would have revoked all tokens
		})
	}
}

// TestCompatibilityPage: the page lists what the tests above check; -update writes it.
func TestCompatibilityPage(t *testing.T) {
	terminaltest.Golden(t, "../docs/compatibility.md", string(compatibilityPage()))
}

func compatibilityPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Authorization servers that the tests sign in to\n\n" +
		"Generated by `e2e/realservers_test.go`, which runs each of these servers and tests these steps: discover, sign in,\n" +
		"call the MCP server, refresh twice, sign out, and deny a sign-in. Then 30 processes request\n" +
		"one expired token at once. `oidc-provider` and the TypeScript SDK's example have separate tests.\n\n" +
		"| server | flows | registers clients | revokes access tokens | remarks |\n|---|---|---|---|---|\n")
	for _, s := range realServers {
		flows := slices.Sorted(maps.Keys(s.flows))
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", s.name, strings.Join(flows, ", "), yesNo(s.registersClients), yesNo(s.revokesAccessTokens), s.remarks)
	}
	b.WriteString("| oidc-provider 9 | device, paste, browser, client-credentials | yes | yes | also DPoP, rotation, `slow_down`, faults while polling |\n" +
		"| MCP TypeScript SDK 1.32 (its example server) | paste, browser | yes | no | issues no refresh token |\n")
	return b.Bytes()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
