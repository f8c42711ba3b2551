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

// startFake starts a server that approves immediately.
func startFake() *httptest.Server {
	return httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1, Interval: time.Second}})
}

// printer prints that there is a device code to approve.
type printer struct{}

func (printer) ShowCode(_ context.Context, c device.Code) {
	fmt.Println("a code to approve:", c.UserCode != "")
}

// A program with a user signs in if necessary, then lets the transport keep the
// token fresh.
func Example() {
	srv := startFake()
	defer srv.Close()

	s, err := mcplogin.Open(mcplogin.Config{
		Profile: "demo",
		Server:  srv.URL + "/mcp",
		Source:  mcplogin.Stored(&secrets.Memory{}), // in production: file.Open or vault.Open
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

// A background program never prompts: it gets an error if a sign-in is required.
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
