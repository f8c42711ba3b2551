//go:build linux || darwin || freebsd

package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
)

// A program gets its token from a running agent. It has no store and never sees the
// refresh token.
func Example() {
	socket, stop := runAgent() // in production: os.Getenv("MCP_LOGIN_AGENT_SOCK")
	defer stop()

	s, err := mcplogin.Open(mcplogin.Config{
		Profile: "notion",
		Source:  mcplogin.Brokered(&agent.Client{Socket: socket}),
	})
	if err != nil {
		log.Fatal(err)
	}
	headers, err := s.Headers(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(headers.Get("Authorization"))
	err = s.Logout(context.Background())
	fmt.Println("the agent alone logs out:", errors.Is(err, mcplogin.ErrBrokered))
	// Output:
	// Bearer short-lived
	// the agent alone logs out: true
}

// A client in any language sends one GET request over the socket. The responses are
// the types of this package.
func ExampleAnswer() {
	socket, stop := runAgent()
	defer stop()

	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	resp, err := client.Get("http://agent" + agent.ProfilesPath + "/notion" + agent.HeadersPath)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var a agent.Answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Server, len(a.Headers))
	// Output: https://mcp.notion.com/mcp 1
}

// runAgent replaces "mcp-login agent" in the examples.
func runAgent() (socket string, stop func()) {
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		log.Fatal(err)
	}
	socket = filepath.Join(dir, "agent.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(agent.Answer{
			Profile: "notion", Server: "https://mcp.notion.com/mcp",
			Headers: map[string]string{"Authorization": "Bearer short-lived"},
			Expiry:  time.Now().Add(time.Hour),
		})
	})}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }()
	return socket, func() {
		_ = web.Close()
		<-served
		_ = os.RemoveAll(dir)
	}
}
