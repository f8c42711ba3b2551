package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/report"
)

type testOptions struct {
	common
	fromAgent fromAgent
	json      bool
	call      list
	args      string
	protocol  string
	server    serverOptions
}

func newTest(e *call) *cli.Command {
	var o testOptions
	return e.command(&cli.Command{
		Name: "test", Usage: "Connect to the MCP server and list its tools",
		ArgsUsage: "NAME", UsageText: `mcp-login test notion --call notion-search --args '{"query":"plan"}'`,
		Description: "If the server rejects the token, it is refreshed once. If a sign-in or more scopes are required, the exit code is 4 and a hint shows the command. If a called tool fails, it is 1. " +
			"--timeout limits connecting, listing the tools, and each call. A server may send at most 64 MiB, 1,000 messages in streams, and 100 pages of tools.",
		Flags: slices.Concat([]cli.Flag{
			listFlag("call", "Call `TOOL` and show its answer (repeatable)", &o.call),
			stringFlag("args", "Arguments of the tool, as a `JSON` object", "{}", &o.args),
			stringFlag("protocol", "Protocol `VERSION` to offer (default: the newest)", "", &o.protocol),
			boolFlag("json", "Print JSON", &o.json),
		}, o.server.flags(), o.fromAgent.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runTest(ctx, e, &o, args[0]) })
}

func runTest(ctx context.Context, e *call, o *testOptions, profile string) error {
	if !json.Valid([]byte(o.args)) || !strings.HasPrefix(strings.TrimSpace(o.args), "{") {
		return exit.Usagef("--args: not a JSON object")
	}
	opener, err := o.server.withHeaders(ctx, e.open(&o.common))
	if err != nil {
		return err
	}
	s, err := opener.SessionAt(ctx, o.fromAgent.agentSock, profile)
	if err != nil {
		return err
	}
	r, err := probe(ctx, opener, o, s)
	switch {
	case err != nil:
		return err
	case o.json:
		err = e.answerJSON(r)
	default:
		err = e.answerText(report.Tools(r))
	}
	return cmp.Or(err, toolError(r))
}

// toolError returns an error if the called tool failed.
func toolError(r mcpprobe.Report) error {
	if slices.ContainsFunc(r.Results, func(r mcpprobe.Result) bool { return r.IsError }) {
		return errToolFailed
	}
	return nil
}

// errToolFailed ends a test after its report has shown the tool's result.
var errToolFailed = errors.New("a tool failed")

// probe connects to the server of the credential.
func probe(ctx context.Context, opener access.Opener, o *testOptions, s *mcplogin.Session) (mcpprobe.Report, error) {
	c, err := s.Credential(ctx)
	if err != nil {
		return mcpprobe.Report{}, err
	}
	transport, err := opener.Transport(c.Server, o.server.transport)
	if err != nil {
		return mcpprobe.Report{}, err
	}
	cfg := mcpprobe.Config{
		Session: s, Server: c.Server, HTTP: transport, Timeout: o.Timeout,
		ProtocolVersion: o.protocol, Version: version,
	}
	for _, tool := range o.call {
		cfg.Calls = append(cfg.Calls, mcpprobe.Call{Tool: tool, Args: json.RawMessage(o.args)})
	}
	r, err := mcpprobe.Run(ctx, cfg)
	if err == nil {
		r.Transport = string(transport.Speaks())
	}
	return r, err
}
