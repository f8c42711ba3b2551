// Package probe connects to an MCP server with a stored credential and says
// what it found: who the server is and which tools it offers.
//
// It speaks through the MCP Go SDK's client, both the stateless protocol of
// 2026-07-28 and the sessions of earlier versions, and needs a
// [mcplogin.Session] for the token.
package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login"
)

// Config says which server is probed, and how.
type Config struct {
	Session *mcplogin.Session // required
	Server  string            // the MCP server's URL; required
	HTTP    http.RoundTripper // nil: http.DefaultTransport
	// ProtocolVersion is offered first; "": the newest known.
	ProtocolVersion string
	// Version is told to the server as this client's; "": "devel".
	Version string
	// LogIn permits a login that asks a person: where none is stored any more,
	// and where the server asks for more scopes.
	LogIn bool
	// Calls are made one after another once the tools are listed.
	Calls []Call
}

// Call is one tool call.
type Call struct {
	Tool string          `json:"tool"`
	Args json.RawMessage `json:"arguments,omitempty"` // a JSON object; nil: {}
}

// Report is what a server said. All text in it is the server's own and must be
// sanitized before it is shown.
type Report struct {
	Server          string   `json:"server"`
	Name            string   `json:"name"`
	Version         string   `json:"version,omitempty"`
	ProtocolVersion string   `json:"protocol_version"`
	Tools           []Tool   `json:"tools"`
	Results         []Result `json:"results,omitempty"`
}

// Tool is one tool on offer.
type Tool struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Result is the answer to one Call.
type Result struct {
	Tool    string        `json:"tool"`
	IsError bool          `json:"is_error"` // the tool itself says that it failed
	Content []mcp.Content `json:"content"`
}

// Run connects, lists the tools and makes the calls. Its errors are the
// session's where the token is at fault: mcplogin.ErrLoginRequired,
// *mcplogin.InsufficientScopeError.
func Run(ctx context.Context, cfg Config) (Report, error) {
	auth := &authorizer{session: cfg.Session, logIn: cfg.LogIn, base: cfg.Session.Transport(cfg.HTTP)}
	r, err := run(ctx, cfg, auth)
	if err != nil && auth.failure() != nil {
		return r, auth.failure() // the SDK does not pass every cause on
	}
	return r, err
}

func run(ctx context.Context, cfg Config, auth *authorizer) (Report, error) {
	r := Report{Server: cfg.Server}
	version := cfg.Version
	if version == "" {
		version = "devel"
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "mcp-login", Version: version}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint:             cfg.Server,
		HTTPClient:           &http.Client{Transport: auth},
		MaxRetries:           -1,
		DisableStandaloneSSE: true, // nothing here waits for what the server starts
	}, &mcp.ClientSessionOptions{ProtocolVersion: cfg.ProtocolVersion})
	if err != nil {
		return r, fmt.Errorf("connect to %s: %w", cfg.Server, err)
	}
	defer session.Close()

	hello := session.InitializeResult()
	r.ProtocolVersion = hello.ProtocolVersion
	if hello.ServerInfo != nil {
		r.Name, r.Version = hello.ServerInfo.Name, hello.ServerInfo.Version
	}
	r.Tools = []Tool{}
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			return r, fmt.Errorf("list tools of %s: %w", cfg.Server, err)
		}
		r.Tools = append(r.Tools, Tool{Name: tool.Name, Description: tool.Description})
	}
	for _, c := range cfg.Calls {
		answer, err := session.CallTool(ctx, &mcp.CallToolParams{Name: c.Tool, Arguments: arguments(c.Args)})
		if err != nil {
			return r, fmt.Errorf("call %s at %s: %w", c.Tool, cfg.Server, err)
		}
		r.Results = append(r.Results, Result{Tool: c.Tool, IsError: answer.IsError, Content: answer.Content})
	}
	return r, nil
}

func arguments(args json.RawMessage) json.RawMessage {
	if args == nil {
		return json.RawMessage("{}")
	}
	return args
}
