package main

import (
	"context"
	"log/slog"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/toolfilter"
)

// serverOptions are the options for requests to the MCP server.
type serverOptions struct {
	transport         string
	headers, fromHere list
}

func (o *serverOptions) flags() []cli.Flag {
	return grouped(groupNetwork,
		stringFlag("transport", "Server `TRANSPORT`: auto, http (Streamable HTTP) or sse (HTTP+SSE of 2024-11-05)", string(httpsse.Auto), &o.transport),
		listFlag("header", "Add `'NAME: VALUE'` to each request to the server's origin. ${VARIABLE} is replaced by the variable's value (repeatable)", &o.headers),
		listFlag("header-from", "Add a header with a secret value: `NAME=SOURCE`, where SOURCE is file:PATH, env:NAME or command:LINE (repeatable)", &o.fromHere),
	)
}

// withHeaders adds the headers to the requests of an opener.
func (o *serverOptions) withHeaders(ctx context.Context, opener access.Opener) (access.Opener, error) {
	return opener.WithHeaders(ctx, o.headers, o.fromHere)
}

// toolOptions are the rules for the tools that a client may use.
type toolOptions struct {
	allow, deny list
	readOnly    bool
}

func (o *toolOptions) flags() []cli.Flag {
	return grouped(help.Tools,
		listFlag("allow-tool", "Allow only tools with names that match `PATTERN`, such as 'read_*' (repeatable)", &o.allow),
		listFlag("deny-tool", "Hide tools with names that match `PATTERN` (repeatable); it takes precedence over --allow-tool", &o.deny),
		boolFlag("read-only", "Let clients see and call only tools that the server marks as read-only", &o.readOnly),
	)
}

func (o *toolOptions) rules() toolfilter.Rules {
	return toolfilter.Rules{Allow: o.allow, Deny: o.deny, ReadOnly: o.readOnly}
}

// filter returns the tool filter for the rules.
func (o *toolOptions) filter(log *slog.Logger) (*toolfilter.Filter, error) {
	f, err := toolfilter.New(o.rules(), log)
	if err != nil {
		return nil, exit.Usagef("--allow-tool, --deny-tool: %w", err)
	}
	return f, nil
}
