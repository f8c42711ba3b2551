package authcode_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// A login with a browser on this machine. The fake server approves immediately, so
// the browser only has to follow its redirect.
func ExampleFlow() {
	srv := &oauthtest.Server{}
	ctx := context.Background()
	meta, err := oauth.FetchServer(ctx, srv.Client(), "https://as.test")
	if err != nil {
		fmt.Println(err)
		return
	}
	flow := &authcode.Flow{Open: func(_ context.Context, url string) error {
		go approve(srv, url)
		return nil
	}}
	want, err := flow.Metadata() // listens on the registered port
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := oauth.Register(ctx, srv.Client(), meta, want, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := flow.Run(ctx, flows.Request{
		Client:   &oauth.Client{HTTP: srv.Client(), Server: meta, App: app},
		Resource: "https://as.test/mcp",
	})
	fmt.Println(token.Type, err)
	// Output: Bearer <nil>
}

// approve sends the request to the in-memory server and follows its redirect to the
// listener over the network.
func approve(srv *oauthtest.Server, url string) {
	resp, err := srv.RoundTrip(must(http.NewRequest(http.MethodGet, url, nil)))
	if err != nil {
		return
	}
	resp.Body.Close()
	if resp, err = http.Get(resp.Header.Get("Location")); err == nil {
		resp.Body.Close()
	}
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}
