//go:build e2e

package e2e

import (
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/await"
)

var relayButton = regexp.MustCompile(`<a href="([^"]+)" rel="noreferrer">`)

// followRelay clicks the button of a relay's page and returns the URL of the next page.
func (u *webUser) followRelay(link string) string {
	u.t.Helper()
	at := u.submit(u.get(link), nil)
	on := relayButton.FindStringSubmatch(at.body)
	if on == nil {
		u.t.Fatalf("the relay's page has no link:\n%s", at.body)
	}
	return html.UnescapeString(on[1])
}

// workersServer starts a real server without a device flow.
func workersServer(t *testing.T) (s *realServer, mcp string) {
	t.Helper()
	for _, s := range realServers {
		if s.relayFolder == "workers" {
			return s, s.start(t, 3600) + "/mcp"
		}
	}
	t.Fatal("no such server")
	return nil, ""
}

// TestRelaysInOrder: the first relay is down, the second rejects the client token, and
// the third signs in.
func TestRelaysInOrder(t *testing.T) {
	t.Parallel()
	s, mcp := workersServer(t)
	h := newHome(t)
	h.env = append(h.env, "SSH_CONNECTION=192.0.2.7 50000 192.0.2.9 22")
	strict, good := newRelayBalancer(t), newRelayBalancer(t)
	other := newHome(t)
	other.env = append(other.env, "OTHER_TOKEN=of-another-team")
	strict.add(other, "--client-token-from", "env:OTHER_TOKEN")
	relay := good.add(h)
	run := h.start("login", "box", mcp, "--relay", "http://127.0.0.1:1", "--relay", strict.url, "--relay", good.url,
		"--relay-token-from", "file:"+filepath.Join(h.dir, "relay-token"))
	link := run.stderr.await(t, relayLink)
	if !strings.HasPrefix(link, good.url) {
		t.Errorf("the link is %s", link)
	}
	p := newWebUser(t)
	s.signInPages(p, p.followRelay(link), true)
	got := run.wait(0).stderr
	for _, want := range []string{
		`flow: relay cannot be used: .*http://127.0.0.1:1.*connection refused`,
		`flow: relay cannot be used: .*does not accept the client token`,
		`(?m)^flow: relay, because this is an SSH session and the server offers no device flow$`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("the output lacks %s:\n%s", want, got)
		}
	}
	stopReplica(relay)
}

// TestRelayInCI: the code is shown where the CI system displays it while the step runs.
func TestRelayInCI(t *testing.T) {
	t.Parallel()
	s, mcp := workersServer(t)
	for name, want := range map[string]string{
		"GITHUB_ACTIONS": `(?m)^::notice title=Sign-in to 127\.0\.0\.1%3A\d+ needs your approval::Enter the code [A-Z-]+ at http://127\.0\.0\.1:\d+%0A.*%0A(http://\S+/s/[A-Z]{4}-[A-Z]{4})$`,
		"GITLAB_CI":      `(?ms)^Sign-in to 127\.0\.0\.1:\d+ needs your approval$.*^ +Enter the code [A-Z-]+ at http://127.*(http://\S+/s/[A-Z]{4}-[A-Z]{4})$`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := newHome(t), newRelayBalancer(t)
			relay := r.add(h)
			h.env = append(h.env, name+"=true")
			run := h.start("login", "box", mcp, "--relay", r.url, "--relay-token-from", "file:"+filepath.Join(h.dir, "relay-token"))
			shown := regexp.MustCompile(want)
			await.True(t, "the code is shown", func() bool { return shown.MatchString(run.stderr.String()) })
			link := shown.FindStringSubmatch(run.stderr.String())[1]
			p := newWebUser(t)
			s.signInPages(p, p.followRelay(link), true)
			got := run.wait(0).stderr
			if strings.Contains(got, "tip:") || strings.Contains(got, "ssh ") {
				t.Errorf("a job gets a hint for users with a laptop:\n%s", got)
			}
			if page := p.get(link); !strings.Contains(page.body, "Signed in") {
				t.Errorf("the last page: %s", page.body)
			}
			stopReplica(relay)
		})
	}
}
