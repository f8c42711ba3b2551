package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/mcp-login/mcp-login/oauth"
)

// Discovery is what an MCP server and its authorization servers publish.
type Discovery struct {
	Server   string // the URL that was asked
	Resource oauth.Resource
	Servers  []oauth.Server // in the resource's order, without the unreadable ones
	Errors   []error        // one for each authorization server that could not be read
}

// Discover asks an MCP server who guards it (RFC 9728), then each of its
// authorization servers what it offers (RFC 8414). A server of the 2025-03-26
// specification, which publishes no resource metadata, is its own. It fails if
// no authorization server could be read.
func Discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	d := Discovery{Server: server}
	var err error
	d.Resource, err = oauth.Discover(ctx, c, server)
	if errors.Is(err, oauth.ErrNoMetadata) {
		return legacy(ctx, c, d, err)
	}
	if err != nil {
		return d, fmt.Errorf("discover %s: %w", server, err)
	}
	for _, issuer := range d.Resource.Issuers {
		srv, err := oauth.FetchServer(ctx, c, issuer)
		if err != nil {
			d.Errors = append(d.Errors, fmt.Errorf("authorization server %s: %w", oauth.Sanitize(issuer, 200), err))
			continue
		}
		d.Servers = append(d.Servers, srv)
	}
	if len(d.Servers) == 0 {
		return d, fmt.Errorf("discover %s: %w", server, errors.Join(d.Errors...))
	}
	return d, nil
}

// legacy reads a server of the 2025-03-26 specification: no resource metadata,
// the authorization server at the same origin, and no resource parameter.
func legacy(ctx context.Context, c *http.Client, d Discovery, cause error) (Discovery, error) {
	srv, err := oauth.LegacyServer(ctx, c, d.Server)
	if err != nil {
		return d, fmt.Errorf("discover %s: %w", d.Server, errors.Join(cause, err))
	}
	d.Servers = []oauth.Server{srv}
	return d, nil
}
