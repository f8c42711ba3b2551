package demoserver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The limits keep a wrong argument from blocking the server.
const (
	maxTicks = 1000
	maxPause = 10 * time.Second
	maxText  = 64 << 20
)

// mcpHandler is the protected resource. It keeps no sessions, so that a plain
// POST of tools/list works without an initialize before it.
func (s *Server) mcpHandler() http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "mcp-login demo", Version: "1"}, nil)
	elsewhere := false
	harmless := &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: &elsewhere} // clients need not ask before a call
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Description: "Shows the user that the access token belongs to", Annotations: harmless}, whoami)
	mcp.AddTool(server, &mcp.Tool{Name: "add", Description: "Adds two numbers", Annotations: harmless}, add)
	mcp.AddTool(server, &mcp.Tool{Name: "ticks", Description: "Reports progress n times, pausing in between", Annotations: harmless}, ticks)
	mcp.AddTool(server, &mcp.Tool{Name: "text", Description: "Returns a text of n bytes", Annotations: harmless}, text)

	stream := mcp.NewStreamableHTTPHandler(
		func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true},
	)
	return auth.RequireBearerToken(s.verify, &auth.RequireBearerTokenOptions{
		ResourceMetadataURL: s.cfg.URL + "/.well-known/oauth-protected-resource/mcp",
		Scopes:              []string{scopeTools},
	})(stream)
}

// verify implements auth.TokenVerifier.
func (s *Server) verify(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
	t, ok := s.auth.Access(token)
	if !ok || t.Resource != s.MCP() {
		return nil, auth.ErrInvalidToken
	}
	return &auth.TokenInfo{
		Scopes:     strings.Fields(t.Scope),
		Expiration: t.Expiry,
		UserID:     "demo",
		Extra:      map[string]any{"client": t.Client},
	}, nil
}

type noArguments struct{}

func whoami(_ context.Context, r *mcp.CallToolRequest, _ noArguments) (*mcp.CallToolResult, any, error) {
	t := r.Extra.TokenInfo
	return textResult("user %s through %v, scope %s, until %s", t.UserID, t.Extra["client"],
		strings.Join(t.Scopes, " "), t.Expiration.UTC().Format(time.RFC3339)), nil, nil
}

type addArguments struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

func add(_ context.Context, _ *mcp.CallToolRequest, in addArguments) (*mcp.CallToolResult, any, error) {
	return textResult("%v", in.A+in.B), nil, nil
}

type ticksArguments struct {
	N       int `json:"n" jsonschema:"how many, at most 1000"`
	PauseMS int `json:"pause_ms,omitempty" jsonschema:"milliseconds before each, at most 10000"`
}

func ticks(ctx context.Context, r *mcp.CallToolRequest, in ticksArguments) (*mcp.CallToolResult, any, error) {
	pause := time.Duration(in.PauseMS) * time.Millisecond
	if in.N < 0 || in.N > maxTicks || pause < 0 || pause > maxPause {
		return nil, nil, fmt.Errorf("n is at most %d and pause_ms at most %d", maxTicks, maxPause.Milliseconds())
	}
	for i := range in.N {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(pause):
		}
		err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: r.Params.GetProgressToken(), Progress: float64(i + 1), Total: float64(in.N),
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return textResult("%d ticks", in.N), nil, nil
}

type textArguments struct {
	N int `json:"n" jsonschema:"bytes, at most 64 MiB"`
}

func text(_ context.Context, _ *mcp.CallToolRequest, in textArguments) (*mcp.CallToolResult, any, error) {
	if in.N < 0 || in.N > maxText {
		return nil, nil, fmt.Errorf("n is at most %d", maxText)
	}
	return textResult("%s", strings.Repeat("x", in.N)), nil, nil
}

func textResult(format string, args ...any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, args...)}}}
}
