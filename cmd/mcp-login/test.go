package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

type testOptions struct {
	common
	fromAgent fromAgent
	json      bool
	call      cli.StringSlice
	args      string
	protocol  string
	transport string
}

func newTest(e *env) *cli.Command {
	var o testOptions
	return e.command(&cli.Command{
		Name: "test", Usage: "Connect to the MCP server and list its tools",
		ArgsUsage: "NAME", UsageText: `mcp-login test notion --call notion-search --args '{"query":"plan"}'`,
		Description: "If the server rejects the token, it is refreshed once. If a sign-in or more scopes are required, the exit code is 4 and the hint has the command. " +
			"Connecting, listing the tools and each call may take as long as --timeout. A server that sends more than 64 MiB, 1,000 messages in streams or 100 pages of tools is cut off.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringSliceFlag{Name: "call", Usage: "Call this `TOOL` and show its answer; repeat it for more", Destination: &o.call},
			stringFlag("args", "Arguments of the tool, a `JSON` object", "{}", &o.args),
			stringFlag("protocol", "Protocol `VERSION` to offer (default: the newest)", "", &o.protocol),
			transportFlag(&o.transport),
			boolFlag("json", "Print JSON", &o.json),
		}, o.fromAgent.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runTest(ctx, e, &o, args[0]) })
}

func runTest(ctx context.Context, e *env, o *testOptions, profile string) error {
	if !json.Valid([]byte(o.args)) || !strings.HasPrefix(strings.TrimSpace(o.args), "{") {
		return usagef("--args: not a JSON object")
	}
	s, err := e.session(ctx, &o.common, o.fromAgent, profile)
	if err != nil {
		return err
	}
	r, err := e.probe(ctx, o, s)
	switch {
	case err != nil:
		return err
	case o.json:
		return e.answerJSON(r)
	}
	return e.answer(testText(r))
}

// probe connects to the server that the credential is for.
func (e *env) probe(ctx context.Context, o *testOptions, s *mcplogin.Session) (mcpprobe.Report, error) {
	c, err := s.Credential(ctx)
	if err != nil {
		return mcpprobe.Report{}, err
	}
	transport, err := e.transport(&o.common, c.Server, o.transport)
	if err != nil {
		return mcpprobe.Report{}, err
	}
	cfg := mcpprobe.Config{
		Session: s, Server: c.Server, HTTP: transport, Timeout: o.common.timeout,
		ProtocolVersion: o.protocol, Version: version,
	}
	for _, tool := range o.call.Value() {
		cfg.Calls = append(cfg.Calls, mcpprobe.Call{Tool: tool, Args: json.RawMessage(o.args)})
	}
	return mcpprobe.Run(ctx, cfg)
}

// testText shows a report. All text in it is the server's.
func testText(r mcpprobe.Report) string {
	const maxLine, maxContent = 200, 10_000
	var b strings.Builder
	line := func(format string, a ...any) { b.WriteString(terminal.Linef(format, a...)) }
	line("%s %s, protocol %s", oauth.Sanitize(r.Name, maxLine), oauth.Sanitize(r.Version, maxLine), oauth.Sanitize(r.ProtocolVersion, maxLine))
	line("%d tools", len(r.Tools))
	for _, t := range r.Tools {
		text := oauth.Sanitize(t.Name, maxLine)
		if t.Description != "" {
			first, _, _ := strings.Cut(t.Description, "\n")
			text += ": " + oauth.Sanitize(first, maxLine)
		}
		line("  %s", text)
	}
	for _, result := range r.Results {
		outcome := "answered"
		if result.IsError {
			outcome = "failed"
		}
		line("%s %s", oauth.Sanitize(result.Tool, maxLine), outcome)
		for _, content := range result.Content {
			line("  %s", oauth.Sanitize(contentText(content), maxContent))
		}
	}
	return b.String()
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
