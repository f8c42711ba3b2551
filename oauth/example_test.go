package oauth_test

import (
	"context"
	"fmt"
	"log"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// A device login, message by message. Package mcplogin does all of this, and waits
// as required by RFC 8628.
func Example() {
	ctx := context.Background()
	srv := &oauthtest.Server{}
	c := srv.Client() // in production: oauth.Guard{Server: url}.Client()

	resource, err := oauth.Discover(ctx, c, "https://mcp.test/mcp")
	if err != nil {
		log.Fatal(err)
	}
	server, err := oauth.FetchServer(ctx, c, resource.Issuers[0])
	if err != nil {
		log.Fatal(err)
	}
	app, err := oauth.Register(ctx, c, server, oauth.ClientMetadata{
		ClientName: "example",
		GrantTypes: []string{oauth.GrantDeviceCode, oauth.GrantRefreshToken},
	}, "")
	if err != nil {
		log.Fatal(err)
	}
	client := &oauth.Client{HTTP: c, Server: server, App: app}
	device, err := client.AuthorizeDevice(ctx, resource.Scopes, resource.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open", device.VerificationURI, "and type", device.UserCode)

	_, err = client.DeviceToken(ctx, device.DeviceCode, resource.URL)
	fmt.Println("pending:", oauth.IsCode(err, oauth.CodeAuthorizationPending))

	srv.ApproveDevice(device.UserCode) // the user approves
	_, err = client.DeviceToken(ctx, device.DeviceCode, resource.URL)
	fmt.Println("too fast:", oauth.IsCode(err, oauth.CodeSlowDown))
	// Output:
	// open https://mcp.test/device and type WDJB-MJHC
	// pending: true
	// too fast: true
}
