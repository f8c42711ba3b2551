//go:build linux || darwin || freebsd

package agentd_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// A program that runs an agent, and a client of it.
func Example() {
	srv := &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}}
	cfg := mcplogin.Config{
		Source: mcplogin.Stored(&secrets.Memory{}), // in production: file.Open or vault.Open
		HTTP:   func(string) *http.Client { return srv.Client() },
	}
	logIn(cfg, "notion", "https://mcp.test/mcp")

	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	a, err := agentd.New(agentd.Config{
		Session:  cfg,
		Profiles: func(context.Context) ([]string, error) { return []string{"notion"}, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	l, remove, err := agentd.Listen(filepath.Join(dir, "agent.sock"))
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx, agentd.Socket{Listener: l}) }()

	s, err := mcplogin.Open(mcplogin.Config{Profile: "notion", Source: mcplogin.Brokered(&agent.Client{Socket: filepath.Join(dir, "agent.sock")})})
	if err != nil {
		log.Fatal(err)
	}
	got, err := s.Current(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Server, got.Token)
	stop()
	fmt.Println(<-ended)
	// Output:
	// https://mcp.test/mcp oauth.Token[redacted]
	// <nil>
}

// logIn stores a credential, like mcp-login login.
func logIn(cfg mcplogin.Config, profile, url string) {
	cfg.Profile, cfg.Server = profile, url
	s, err := mcplogin.Open(cfg)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Login(context.Background(), mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: silentPrompt{}}}}); err != nil {
		log.Fatal(err)
	}
}
