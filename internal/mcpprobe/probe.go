// Package mcpprobe connects to an MCP server with a stored credential and says
// what it found: who the server is and which tools it offers.
//
// Its client supports Streamable HTTP: both the stateless protocol of 2026-07-28 and the
// sessions of earlier versions. For servers of 2024-11-05, give Config.HTTP a transport
// that translates, such as httpsse.Transport. It needs a [mcplogin.Session] for the
// token. It must not know how a report is shown.
//
// # Security
//
// The server is not trusted. A run ends with an error if a message is longer
// than 16 MiB, all answers together are longer than 64 MiB or hold more than
// 1,000 events, or the list of tools does not end. Lengths are counted after
// decompression.
package mcpprobe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/printable"
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
	// Version is sent to the server as this client's; "": "devel".
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
	Tool    string            `json:"tool"`
	IsError bool              `json:"is_error"` // the tool itself says that it failed
	Content []json.RawMessage `json:"content"`  // objects, as the server wrote them
}

// Summary says who answered, in one line. All text in it is the server's.
func (r Report) Summary() string {
	return fmt.Sprintf("the server answers as %s, protocol %s, with %s", oauth.Sanitize(r.Name, 100), r.Protocol(), printable.Count(len(r.Tools), "tool"))
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
func contentText(content json.RawMessage) string {
	var text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &text) == nil && text.Type == "text" {
		return text.Text
	}
	var line bytes.Buffer
	if err := json.Compact(&line, content); err != nil {
		return err.Error()
	}
	return line.String()
}

// Run connects, lists the tools and makes the calls. Its errors are the
// session's where the token is at fault: mcplogin.ErrLoginRequired,
// *mcplogin.InsufficientScopeError.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.HTTP == nil {
		cfg.HTTP = oauth.Guard{Server: cfg.Server}.Client().Transport
	}
	stored, err := cfg.Session.Credential(ctx)
	if err != nil {
		return Report{Server: cfg.Server, Tools: []Tool{}}, err
	}
	p := &run{
		Config: cfg, report: Report{Server: cfg.Server, Tools: []Tool{}},
		client: client{
			server: cfg.Server, self: implementation{"mcp-login", cmp.Or(cfg.Version, "devel")}, bound: map[string][]mcpwire.Binding{},
			http: &http.Client{Transport: &authorizer{
				session: cfg.Session, profile: stored.Profile, server: cfg.Server, base: cfg.Session.Transport(&budget{base: cfg.HTTP}),
			}},
		},
	}
	err = p.all(ctx)
	return p.report, err
}

// run is one run of the steps, which follow each other.
type run struct {
	Config
	client client
	report Report
}

// step takes one step and returns why it failed: that it took too long, if it did.
func (p *run) step(ctx context.Context, take func(context.Context) error) error {
	ctx, done := context.WithTimeoutCause(ctx, cmp.Or(p.Timeout, defaultTimeout), errTooSlow)
	defer done()
	err := take(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errTooSlow) {
		return cause
	}
	return err
}

func (p *run) all(ctx context.Context) error {
	if err := p.step(ctx, p.connect); err != nil {
		return fmt.Errorf("connect to %s: %w", p.Server, err)
	}
	defer p.client.close(ctx)
	if err := p.step(ctx, p.list); err != nil {
		return fmt.Errorf("list tools of %s: %w", p.Server, err)
	}
	for _, c := range p.Calls {
		if err := p.step(ctx, func(ctx context.Context) error { return p.call(ctx, c) }); err != nil {
			return fmt.Errorf("call %s at %s: %w", c.Tool, p.Server, err)
		}
	}
	return nil
}

func (p *run) connect(ctx context.Context) error {
	found, err := p.client.connect(ctx, p.ProtocolVersion)
	p.report.ProtocolVersion, p.report.Name, p.report.Version = found.version, found.server.Name, found.server.Version
	return err
}
