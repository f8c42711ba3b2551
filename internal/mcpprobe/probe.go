// Package mcpprobe connects to an MCP server with a stored credential and says
// what it found: who the server is and which tools it offers.
//
// It speaks through the MCP Go SDK's client, both the stateless protocol of
// 2026-07-28 and the sessions of earlier versions, and needs a
// [mcplogin.Session] for the token. It must not know how a report is shown.
//
// # Security
//
// The server is not trusted. A run ends with an error if a message is longer
// than 16 MiB, all answers together are longer than 64 MiB or hold more than
// 1,000 events, or the list of tools does not end. Lengths are counted after
// decompression.
package mcpprobe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// Config says which server is probed, and how.
type Config struct {
	Session *mcplogin.Session // required
	Server  string            // the MCP server's URL; required
	HTTP    http.RoundTripper // nil: that of oauth.Guard
	// Timeout limits each step: to connect, to list the tools, and each call.
	// Zero: 30 s.
	Timeout time.Duration
	// ProtocolVersion is offered first; "": the newest known.
	ProtocolVersion string
	// Version is told to the server as this client's; "": "devel".
	Version string
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
	Transport       string   `json:"transport,omitempty"` // http or sse, where the caller knows
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

// Summary says who answered, in one line. All text in it is the server's.
func (r Report) Summary() string {
	return fmt.Sprintf("the server answers as %s, protocol %s, with %d tools", oauth.Sanitize(r.Name, 100), r.Protocol(), len(r.Tools))
}

// Protocol is the version, with the transport where that is the old one.
func (r Report) Protocol() string {
	version := oauth.Sanitize(r.ProtocolVersion, 40)
	if r.Transport == "sse" {
		version += " over HTTP+SSE"
	}
	return version
}

// Texts returns the content as texts.
func (r Result) Texts() []string {
	texts := make([]string, len(r.Content))
	for i, content := range r.Content {
		texts[i] = contentText(content)
	}
	return texts
}

// contentText is a tool's text, or the JSON of what is not text.
func contentText(c mcp.Content) string {
	if text, ok := c.(*mcp.TextContent); ok {
		return text.Text
	}
	data, err := c.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// errTooManyPages ends a list of tools that never ends.
var errTooManyPages = fmt.Errorf("%w: the limit is %d pages and %d tools", errTooMuch, maxPages, maxTools)

// Run connects, lists the tools and makes the calls. Its errors are the
// session's where the token is at fault: mcplogin.ErrLoginRequired,
// *mcplogin.InsufficientScopeError.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.HTTP == nil {
		cfg.HTTP = oauth.Guard{Server: cfg.Server}.Client().Transport
	}
	spent := &budget{base: cfg.HTTP}
	p := &run{
		Config: cfg, report: Report{Server: cfg.Server, Tools: []Tool{}},
	}
	stored, err := cfg.Session.Credential(ctx)
	if err != nil {
		return p.report, err
	}
	auth := &authorizer{session: cfg.Session, profile: stored.Profile, server: cfg.Server, base: cfg.Session.Transport(spent)}
	err = p.all(ctx, auth)
	switch {
	case err == nil, errors.Is(err, errTooSlow):
	case auth.failure() != nil:
		err = auth.failure() // the SDK does not pass every cause on
	case spent.exceeded() != nil:
		err = spent.exceeded()
	}
	return p.report, err
}

// run is one run of the steps, which follow each other.
type run struct {
	Config
	report Report
}

// step returns a context that bounds one step.
func (p *run) step(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, cmp.Or(p.Timeout, defaultTimeout), errTooSlow)
}

func (p *run) all(ctx context.Context, auth *authorizer) error {
	ctx, end := context.WithCancel(ctx) // ends what a step left behind
	defer end()
	session, err := p.connect(ctx, auth)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", p.Server, err)
	}
	defer session.Close()
	if err := p.list(ctx, session); err != nil {
		return fmt.Errorf("list tools of %s: %w", p.Server, err)
	}
	for _, c := range p.Calls {
		if err := p.call(ctx, session, c); err != nil {
			return fmt.Errorf("call %s at %s: %w", c.Tool, p.Server, err)
		}
	}
	return nil
}

// ProtocolError means that a server could be reached and that no protocol version
// was agreed on.
type ProtocolError struct {
	Offered []string // the versions, in order; "": the newest
	Err     error
}

func (e *ProtocolError) Error() string {
	return "no protocol version was agreed on: " + e.Err.Error()
}

// Unwrap returns the server's answer to the last offer.
func (e *ProtocolError) Unwrap() error { return e.Err }

// older are the versions to offer, each once, to servers that answer a newer one
// with an error in place of their own version (different-ai/openwork#3569).
func older() []string { return []string{"2025-06-18", "2025-03-26"} }

// connect offers the version asked for, or the newest one and, where the server
// refuses that, older ones.
func (p *run) connect(ctx context.Context, auth *authorizer) (*mcp.ClientSession, error) {
	offers := []string{p.ProtocolVersion}
	if p.ProtocolVersion == "" {
		offers = append(offers, older()...)
	}
	var err error
	for _, version := range offers {
		var session *mcp.ClientSession
		if session, err = p.offer(ctx, auth, version); err == nil {
			return session, nil
		}
		if !auth.refusedRequest() {
			return nil, err
		}
	}
	return nil, &ProtocolError{Offered: offers, Err: err}
}

// offer connects with one protocol version.
func (p *run) offer(ctx context.Context, auth http.RoundTripper, version string) (*mcp.ClientSession, error) {
	ctx, done := p.step(ctx)
	defer done()
	client := mcp.NewClient(&mcp.Implementation{Name: "mcp-login", Version: cmp.Or(p.Version, "devel")}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint:             p.Server,
		HTTPClient:           &http.Client{Transport: auth},
		MaxRetries:           -1,
		DisableStandaloneSSE: true, // nothing here waits for what the server starts
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		return nil, inTime(ctx, err)
	}
	hello := session.InitializeResult()
	p.report.ProtocolVersion = hello.ProtocolVersion
	if hello.ServerInfo != nil {
		p.report.Name, p.report.Version = hello.ServerInfo.Name, hello.ServerInfo.Version
	}
	return session, nil
}

// list reads the list of tools, page by page.
func (p *run) list(ctx context.Context, session *mcp.ClientSession) error {
	ctx, done := p.step(ctx)
	defer done()
	var next mcp.ListToolsParams
	for range maxPages {
		page, err := session.ListTools(ctx, &next)
		if err != nil {
			return inTime(ctx, err)
		}
		for _, tool := range page.Tools {
			p.report.Tools = append(p.report.Tools, Tool{Name: tool.Name, Description: tool.Description})
		}
		if page.NextCursor == "" {
			return nil
		}
		if len(p.report.Tools) > maxTools {
			break
		}
		next.Cursor = page.NextCursor
	}
	return errTooManyPages
}

func (p *run) call(ctx context.Context, session *mcp.ClientSession, c Call) error {
	ctx, done := p.step(ctx)
	defer done()
	answer, err := session.CallTool(ctx, &mcp.CallToolParams{Name: c.Tool, Arguments: arguments(c.Args)})
	if err != nil {
		return inTime(ctx, err)
	}
	p.report.Results = append(p.report.Results, Result{Tool: c.Tool, IsError: answer.IsError, Content: answer.Content})
	return nil
}

// inTime returns why a step failed: that it took too long, if it did.
func inTime(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errTooSlow) {
		return cause
	}
	return err
}

func arguments(args json.RawMessage) json.RawMessage {
	if args == nil {
		return json.RawMessage("{}")
	}
	return args
}
