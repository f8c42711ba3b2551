package mcpprobe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/oauth"
)

// errTooManyPages ends a list of tools that never ends.
var errTooManyPages = fmt.Errorf("%w: the limit is %d pages and %d tools", errTooMuch, maxPages, maxTools)

// list reads the list of tools, page by page.
func (p *run) list(ctx context.Context) error {
	next := params{}
	for range maxPages {
		m, err := p.client.request(ctx, listTools, next)
		if err != nil {
			return err
		}
		var page struct {
			Tools []Tool `json:"tools"`
			Next  string `json:"nextCursor"`
		}
		if err := m.decode(&page); err != nil {
			return err
		}
		p.report.Tools = append(p.report.Tools, page.Tools...)
		if p.client.stateless() {
			maps.Copy(p.client.bound, mcpwire.Bindings(m.text))
		}
		if page.Next == "" {
			return nil
		}
		if len(p.report.Tools) > maxTools {
			break
		}
		next = params{"cursor": page.Next}
	}
	return errTooManyPages
}

// UnknownToolError means that a call failed of a tool that the server does not list.
type UnknownToolError struct {
	Tool  string
	Tools []Tool // those that it lists
	Err   error  // what the server answered
}

func (e *UnknownToolError) Error() string {
	return fmt.Sprintf("the server lists no tool %q: %s", oauth.Sanitize(e.Tool, maxShown), e.Err)
}

// Unwrap returns the server's answer.
func (e *UnknownToolError) Unwrap() error { return e.Err }

// call calls a tool, also one that the server does not list.
func (p *run) call(ctx context.Context, c Call) error {
	result, err := p.client.call(ctx, c)
	answer, _ := errors.AsType[*answerError](err)
	isListed := slices.ContainsFunc(p.report.Tools, func(t Tool) bool { return t.Name == c.Tool })
	switch {
	case !isListed && answer != nil && answer.rpc != nil:
		return &UnknownToolError{c.Tool, p.report.Tools, err}
	case !isListed && result.IsError:
		return &UnknownToolError{c.Tool, p.report.Tools, fmt.Errorf("the server answers: %s", oauth.Sanitize(strings.Join(result.Texts(), " "), maxShown))}
	case err != nil:
		return err
	}
	p.report.Results = append(p.report.Results, result)
	return nil
}

// call calls a tool.
func (c *client) call(ctx context.Context, call Call) (Result, error) {
	args := call.Args
	if args == nil {
		args = json.RawMessage("{}")
	}
	m, err := c.request(ctx, callTool, params{"name": call.Tool, "arguments": args})
	if err != nil {
		return Result{}, err
	}
	var result struct {
		Type    string            `json:"resultType"`
		IsError bool              `json:"isError"`
		Content []json.RawMessage `json:"content"`
	}
	if err := m.decode(&result); err != nil {
		return Result{}, err
	}
	if result.Content == nil {
		result.Content = []json.RawMessage{} // in JSON too, it is a list
	}
	if result.Type == "input_required" { // SEP-2322
		return Result{}, errors.New("the tool asks its user for input, which this command cannot provide")
	}
	return Result{Tool: call.Tool, IsError: result.IsError, Content: result.Content}, nil
}
