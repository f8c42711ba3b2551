package proxy_test

import (
	"context"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// quiet shows no device code: the server of the example approves.
type quiet struct{}

func (quiet) ShowCode(context.Context, device.Code) {}

// An MCP client that starts this program reaches a server behind OAuth.
func Example() {
	srv := httptest.NewServer(&oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1, Interval: time.Second}})
	defer srv.Close()

	ctx := context.Background()
	s, err := mcplogin.Open(mcplogin.Config{
		Profile: "demo",
		Server:  srv.URL + "/mcp",
		Source:  mcplogin.Stored(&secrets.Memory{}), // in production: file.Open or vault.Open
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Ensure(ctx, mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: quiet{}}}}); err != nil {
		log.Fatal(err)
	}
	client := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}` + "\n") // in production: os.Stdin
	p := proxy.Stdio{Upstream: proxy.Upstream{Session: s, Server: srv.URL + "/mcp"}}
	if err := p.Run(ctx, client, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"id":1,"jsonrpc":"2.0","result":{"tools":[]}}
}
