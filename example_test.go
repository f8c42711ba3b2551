package mcplogin_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// fake starts a server that approves at once.
func fake() *httptest.Server {
	return httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1, Interval: time.Second}})
}

// printer shows a device code by printing that there is one.
type printer struct{}

func (printer) ShowCode(_ context.Context, c device.Code) {
	fmt.Println("a code to approve:", c.UserCode != "")
}

// A program that may talk to a person logs in where that is needed, then lets
// the transport keep the token fresh.
func Example() {
	srv := fake()
	defer srv.Close()

	s, err := mcplogin.Open(mcplogin.Config{
		Profile: "demo",
		Server:  srv.URL + "/mcp",
		Source:  mcplogin.Stored(&secrets.Memory{}), // file.Open, vault.Open in earnest
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Ensure(context.Background(), mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: printer{}}}}); err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: s.Transport(nil)}
	resp, err := client.Get(srv.URL + "/mcp")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println("authorized:", resp.StatusCode != http.StatusUnauthorized)
	// Output:
	// a code to approve: true
	// authorized: true
}

// A background program never prompts: it is told when a person is needed.
func ExampleSession_Token() {
	s, err := mcplogin.Open(mcplogin.Config{Profile: "demo", Source: mcplogin.Stored(&secrets.Memory{})})
	if err != nil {
		log.Fatal(err)
	}
	_, err = s.Token(context.Background())
	fmt.Println(err)
	// Output:
	// not signed in to "demo"
}
