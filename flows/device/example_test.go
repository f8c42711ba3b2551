package device_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// plain prints codes.
type plain struct{}

func (plain) ShowCode(_ context.Context, c device.Code) {
	fmt.Printf("%s wants to sign in to %s: open %s and enter %s\n",
		c.Client, c.Server, c.VerificationURI, oauth.Sanitize(c.UserCode, 60))
}

func ExampleFlow() {
	// A fake authorization server that approves at the first poll. A real one is
	// found by oauth.Discover, and package mcplogin does all of this.
	srv := &oauthtest.Server{
		Clients: oauthtest.Clients{Known: map[string]string{"example": ""}},
		Device:  oauthtest.Device{AutoApprove: 1, Interval: time.Second},
	}
	ctx := context.Background()
	server, err := oauth.FetchServer(ctx, srv.Client(), "https://auth.example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	flow := &device.Flow{Prompt: plain{}, ClientName: "example"}
	token, err := flow.Run(ctx, flows.Request{
		Client:   &oauth.Client{HTTP: srv.Client(), Server: server, App: oauth.App{ID: "example"}},
		Server:   "https://mcp.example.com/mcp",
		Resource: "https://mcp.example.com/mcp",
	})
	fmt.Println(token.Type, err)
	// Output:
	// example wants to sign in to https://mcp.example.com/mcp: open https://auth.example.com/device and enter WDJB-MJHC
	// Bearer <nil>
}
