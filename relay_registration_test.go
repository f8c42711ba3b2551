package mcplogin_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
)

// TestRelayGivesWay: where a server refuses a redirect URI on a web server, and where
// the relay is away, the next flow signs in.
func TestRelayGivesWay(t *testing.T) {
	for name, refuses := range map[string]bool{"registration refused": true, "relay away": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.srv.Clients.NoWeb = refuses
				shown := false
				relay := &authcode.Relay{
					URL: "https://relay.test", HTTP: w.srv.Client(), // which is no relay
					Show: func(context.Context, authcode.RelayCode) { shown = true },
				}
				c, err := w.open(t, func(a *asking) {
					a.Flows = []flows.Flow{relay, &device.Flow{Prompt: silent{}}}
				}).Login(t.Context())
				if err != nil || c.Flow != "device" || shown {
					t.Errorf("Login() = %v by %q", err, c.Flow)
				}
			})
		})
	}
}
