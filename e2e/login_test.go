//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// userCode matches the user codes of oidc-provider.
var userCode = regexp.MustCompile(`\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b`)

// startLogin starts a sign-in and returns the printed link.
func (h *home) startLogin(o *oidc, name string, flags ...string) (r *running, link string) {
	h.t.Helper()
	r = h.start(append([]string{"login", name, o.mcp()}, flags...)...)
	code := r.stderr.await(h.t, userCode)
	if !strings.Contains(r.stderr.String(), o.url+"/device") {
		h.t.Errorf("the verification URI is not printed:\n%s", r.stderr)
	}
	return r, o.url + "/device?user_code=" + code
}

// login signs in with a user's approval.
func (h *home) login(o *oidc, name string, flags ...string) result {
	h.t.Helper()
	r, link := h.startLogin(o, name, flags...)
	newWebUser(h.t).approve(link)
	return r.wait(0)
}

func TestLogin(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{}) // without an interval, the default is 5 s (RFC 8628 §3.2)
	h := newHome(t)
	r, link := h.startLogin(o, "box")
	await.True(t, "a poll is pending", func() bool { return len(o.observed().Polls) > 0 })
	newWebUser(t).approve(link)
	if got := r.wait(0); got.stdout != "" {
		t.Errorf("login wrote to standard output: %q", got.stdout)
	}

	s := o.observed()
	for i, gap := range gaps(s.Polls) {
		if gap < 5*time.Second {
			t.Errorf("poll %d followed after %v, want at least 5 s", i+1, gap)
		}
	}
	if len(s.Polls) < 2 {
		t.Errorf("%d polls, want some that were pending", len(s.Polls))
	}
	if others := slices.DeleteFunc(s.Resources, func(r string) bool { return r == o.mcp() }); len(others) > 0 {
		t.Errorf("want only requests with the resource %s, got %q (RFC 8707 §2)", o.mcp(), others)
	}
	if token := h.token("box"); !o.active(token) {
		t.Error("the server does not accept the token")
	}
	checkNoPlaintextToken(t, h.dir, s.Tokens)
}

// gaps returns the times between timestamps in milliseconds.
func gaps(instants []int64) (between []time.Duration) {
	for i := 1; i < len(instants); i++ {
		between = append(between, time.Duration(instants[i]-instants[i-1])*time.Millisecond)
	}
	return between
}

func TestSecondLoginUsesTheRegistration(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.login(o, "box")
	first := h.token("box")
	h.login(o, "box", "--force")
	if n := o.observed().Registrations; n != 1 {
		t.Errorf("%d registrations, want 1", n)
	}
	if h.token("box") == first {
		t.Error("the second login returned the first token")
	}
}

func TestSlowDown(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1, "slowDowns": 1})
	h := newHome(t)
	r, link := h.startLogin(o, "box")
	newWebUser(t).approve(link)
	r.wait(0)
	between := gaps(o.observed().Polls)
	if len(between) != 1 || between[0] < 6*time.Second { // the unit tests of the flow check the exact interval
		t.Errorf("after slow_down the next polls followed after %v, want one after 6 s (RFC 8628 §3.5)", between)
	}
}

func TestUnavailableWhilePolling(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1, "unavailable": 2})
	h := newHome(t)
	h.login(o, "box")
	if n := len(o.observed().Polls); n < 3 {
		t.Errorf("%d polls, want two with status 503 and one more", n)
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	r, link := h.startLogin(o, "box")
	newWebUser(t).deny(link)
	r.wait(5)
	h.want(4, "token", "box")
}

func TestExpired(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1, "deviceTTL": 3})
	h := newHome(t)
	r, _ := h.startLogin(o, "box")
	r.wait(6)
	h.want(4, "token", "box")
}

// TestUse uses a credential with every command that exports it.
func TestUse(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.want(4, "env", "box")
	h.login(o, "box")
	token := h.token("box")

	const print = `printf '%s|%s|%s' "$MCP_BOX_AUTHORIZATION" "$MCP_BOX_TOKEN" "$MCP_BOX_URL"`
	want := "Bearer " + token + "|" + token + "|" + o.mcp()
	for name, args := range map[string][]string{
		"env":  {"sh", "-ec", `eval "$(mcp-login env box)"; ` + print},
		"exec": {"exec", "box", "--", "sh", "-c", print},
	} {
		if got := h.want(0, args...).stdout; got != want {
			t.Errorf("%s: the variables are not those of the token", name)
		}
	}
	if got := h.want(0, "headers", "box").stdout; strings.TrimSpace(got) != `{"Authorization":"Bearer `+token+`"}` {
		t.Error("headers: not the token's header as JSON")
	}
	const call = `mcp-login headers box --curl | curl -sS -f -H @- -H 'Content-Type: application/json' ` +
		`--data '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' "$1"`
	if got := h.want(0, "sh", "-ec", call, "sh", o.mcp()).stdout; !strings.Contains(got, `"tools"`) {
		t.Errorf("tools/list through curl: %s", got)
	}
	for _, args := range [][]string{{"list"}, {"list", "--json"}, {"status", "box"}, {"status", "box", "--json"}, {"discover", o.mcp()}} {
		if h.want(0, args...).stdout == "" {
			t.Errorf("%v printed nothing", args)
		}
	}
	if h.want(3, "exec", "box", "--", "sh", "-c", "exit 3").stdout != "" {
		t.Error("exec printed more than its child")
	}
}

func TestLogoutRevokes(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.login(o, "box")
	tokens := o.observed().Tokens // an access and a refresh token
	for _, token := range tokens {
		if !o.active(token) {
			t.Fatal("a fresh token is not active")
		}
	}
	h.want(0, "logout", "box")
	for i, token := range tokens {
		if o.active(token) {
			t.Errorf("token %d is still active after the sign-out", i)
		}
	}
	if got := o.observed().Revocations; len(got) != 2 || got[0] != "refresh_token" || got[1] != "access_token" {
		t.Errorf("revocations %q, want the refresh token's, then the access token's", got)
	}
	h.want(4, "token", "box")
}

func TestLogoutWithoutServer(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.login(o, "box")
	tokens := o.observed().Tokens
	o.stop()
	r := h.run("logout", "box")
	if r.code == 0 || !strings.Contains(r.stderr, "revo") {
		t.Errorf("exit code %d, and the failed step is not named:\n%s", r.code, r.stderr)
	}
	h.want(4, "token", "box")
	checkNoPlaintextToken(t, h.dir, tokens)
}
