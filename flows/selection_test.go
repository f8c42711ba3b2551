package flows_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// fakeFlow is a flow that supports servers with an issuer.
type fakeFlow string

func (n fakeFlow) Name() string { return string(n) }

func (n fakeFlow) Check(s oauth.Server) error {
	if strings.Contains(s.Issuer, "no-"+string(n)) {
		return flows.ErrUnsupported
	}
	return nil
}

func (n fakeFlow) Run(context.Context, flows.Request) (oauth.Token, error) { return oauth.Token{}, nil }

type nonInteractiveFlow struct{ fakeFlow }

func (nonInteractiveFlow) NonInteractive() {}

func TestSelection(t *testing.T) {
	t.Parallel()
	all := []flows.Flow{nonInteractiveFlow{"client-credentials"}, fakeFlow("paste"), fakeFlow("relay"), fakeFlow("device"), fakeFlow("browser")}
	const browser, ssh, relayFlag = "https://as.test/authorize", "mcp-login ssh HOST", "--relay"
	for _, tt := range []struct {
		name, env    string
		relay        bool
		issuer, page string
		flow, easier string
	}{
		{"SSH", "SSH_TTY=/dev/pts/1", false, "https://as.test", browser, "device", ssh},
		{"SSH, no browser flow", "SSH_TTY=/dev/pts/1", false, "https://as.test", "", "device", ""},
		{"SSH, no device", "SSH_TTY=/dev/pts/1", false, "https://as.test/no-device", browser, "paste", ssh},
		{"SSH, relay", "SSH_TTY=/dev/pts/1", true, "https://as.test/no-device", browser, "relay", ssh},
		{"container", "container=docker", false, "https://as.test/no-device", browser, "paste", relayFlag},
		{"container, relay", "container=docker", true, "https://as.test/no-device", browser, "relay", ""},
		{"container, relay disabled", "container=docker", true, "https://as.test/no-device/no-relay", browser, "paste", ""},
		{"container, device", "container=docker", false, "https://as.test", browser, "device", ""},
		{"CI", "CI=true SSH_TTY=x", true, "https://as.test/no-device", browser, "relay", ""},
		{"desktop", "DISPLAY=:0", false, "https://as.test", browser, "browser", ""},
		{"nothing", "CI=true", false, "https://as.test/no-device", browser, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{}
			for _, pair := range strings.Fields(tt.env) {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			getenv := func(name string) string { return env[name] }
			d := flows.Detect(flows.Environment{GOOS: "linux", Relay: tt.relay, Getenv: getenv, CI: ci.Sign(getenv)})
			got := d.Select([]oauth.Server{{Issuer: tt.issuer, AuthorizationEndpoint: tt.page}}, all...)
			if got.Flow != tt.flow || !strings.Contains(got.Easier, tt.easier) || (got.Easier == "") != (tt.easier == "") {
				t.Errorf("%+v, want %s, easier %q", got, tt.flow, tt.easier)
			}
			if got.Flow != "" && (got.Issuer != tt.issuer || !strings.HasPrefix(got.Why, "because ")) {
				t.Errorf("%+v", got)
			}
		})
	}
}
