package mcplogin_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/oauth2"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// signedIn returns a session at an MCP server with one tool. Your program would
// open a session with the store that mcp-login login has used.
func signedIn(store secrets.Store) (s *mcplogin.Session, url string, end func()) {
	fake := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1, Interval: time.Second}}
	tools := mcp.NewServer(&mcp.Implementation{Name: "demo", Version: "1"}, nil)
	mcp.AddTool(tools, &mcp.Tool{Name: "greet"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "hello"}}}, nil, nil
	})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return tools }, nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mcp" && r.Header.Get("Authorization") != "" {
			handler.ServeHTTP(w, r)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	s, err := mcplogin.Open(mcplogin.Config{Profile: "demo", Server: srv.URL + "/mcp", Source: mcplogin.Stored(store)})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Login(context.Background(), mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: quiet{}}}}); err != nil {
		log.Fatal(err)
	}
	return s, srv.URL + "/mcp", srv.Close
}

// quiet shows no prompt, because the server approves by itself.
type quiet struct{}

func (quiet) ShowCode(context.Context, device.Code) {}

// The MCP Go SDK uses a session as its OAuthHandler.
func ExampleSession_Authorize() {
	s, url, end := signedIn(&secrets.Memory{})
	defer end()

	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "program", Version: "1"}, nil)
	conn, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: url, OAuthHandler: s}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	result, err := conn.CallTool(ctx, &mcp.CallToolParams{Name: "greet"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Content[0].(*mcp.TextContent).Text)
	// Output: hello
}

// A program that uses golang.org/x/oauth2 gets a token source.
func ExampleSession_TokenSource() {
	s, url, end := signedIn(&secrets.Memory{})
	defer end()

	ctx := context.Background()
	source, err := s.TokenSource(ctx)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := oauth2.NewClient(ctx, source).Get(url)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println("authorized:", resp.StatusCode != http.StatusUnauthorized)
	// Output: authorized: true
}

// A transport refreshes a token that the server rejects, and sends the request
// again. It sends the token only to the MCP server's own origin.
func ExampleSession_Transport() {
	s, url, end := signedIn(&secrets.Memory{})
	defer end()

	client := &http.Client{Transport: s.Transport(nil)}
	resp, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println("authorized:", resp.StatusCode != http.StatusUnauthorized)
	// Output: authorized: true
}

// A WebSocket handshake, or any other client, uses the headers. Call Headers again
// before each connection, because tokens expire.
func ExampleSession_Headers() {
	s, url, end := signedIn(&secrets.Memory{})
	defer end()

	headers, err := s.Headers(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	handshake, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	for name, values := range headers {
		handshake.Header[name] = values
	}
	handshake.Header.Set("Upgrade", "websocket")
	fmt.Println("authorized:", handshake.Header.Get("Authorization") != "")
	// Output: authorized: true
}

// countingStore is a custom store: it has the five methods of secrets.Store.
// Package secrets/secretstest has the tests that it must pass.
type countingStore struct {
	secrets.Store
	writes int
}

func (c *countingStore) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	c.writes++
	return c.Store.Put(ctx, name, data, prev)
}

// Any secrets.Store keeps credentials.
func ExampleStored() {
	store := &countingStore{Store: &secrets.Memory{}}
	s, _, end := signedIn(store)
	defer end()

	if _, err := s.Refresh(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("writes:", store.writes > 1)
	// Output: writes: true
}
