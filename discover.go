package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	// discoverySteps is how many times the limit of one request a whole
	// discovery may take. Three requests follow each other at least: to the MCP
	// server, for its metadata, and for an authorization server's.
	discoverySteps = 3
	// defaultStep is the limit of one request where the client has none.
	defaultStep = 30 * time.Second
	// maxFetches is how many authorization servers are asked at once.
	maxFetches = 4
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
// no authorization server could be read. All of it takes no longer than three
// times the client's Timeout; authorization servers that have not answered by
// then count as unreadable.
func Discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	ctx, cancel := discoveryTime(ctx, c)
	defer cancel()
	d := Discovery{Server: server}
	var err error
	d.Resource, err = oauth.Discover(ctx, c, server)
	if errors.Is(err, oauth.ErrNoMetadata) {
		return legacy(ctx, c, d, err)
	}
	if err != nil {
		return d, fmt.Errorf("discover %s: %w", server, err)
	}
	d.fetchServers(ctx, c)
	if len(d.Servers) == 0 {
		return d, fmt.Errorf("discover %s: %w", server, errors.Join(d.Errors...))
	}
	return d, nil
}

// discoveryTime bounds a discovery: who is asked, and how many, is decided by
// the MCP server.
func discoveryTime(ctx context.Context, c *http.Client) (context.Context, context.CancelFunc) {
	step := defaultStep
	if c != nil && c.Timeout > 0 {
		step = c.Timeout
	}
	return context.WithTimeout(ctx, discoverySteps*step)
}

// fetchServers asks a few authorization servers at once, and keeps their order.
func (d *Discovery) fetchServers(ctx context.Context, c *http.Client) {
	issuers := d.Resource.Issuers
	servers, errs := make([]oauth.Server, len(issuers)), make([]error, len(issuers))
	slots := make(chan struct{}, maxFetches)
	var work sync.WaitGroup
	for i, issuer := range issuers {
		slots <- struct{}{}
		work.Go(func() {
			servers[i], errs[i] = oauth.FetchServer(ctx, c, issuer)
			<-slots
		})
	}
	work.Wait()
	for i, issuer := range issuers {
		if errs[i] != nil {
			d.Errors = append(d.Errors, fmt.Errorf("authorization server %s: %w", oauth.Sanitize(issuer, 200), errs[i]))
			continue
		}
		d.Servers = append(d.Servers, servers[i])
	}
}

// legacy reads a server of the 2025-03-26 specification: no resource metadata,
// the authorization server at the same origin, and no resource parameter.
// Endpoints are guessed only where the MCP server asks for a token and names no
// metadata.
func legacy(ctx context.Context, c *http.Client, d Discovery, cause error) (Discovery, error) {
	srv, err := oauth.LegacyServer(ctx, c, d.Server)
	if err != nil {
		return d, fmt.Errorf("discover %s: %w", d.Server, errors.Join(cause, err))
	}
	if none, ok := errors.AsType[*oauth.NoMetadataError](cause); ok && srv.Guessed && (none.Status != http.StatusUnauthorized || none.Err != nil) {
		return d, fmt.Errorf("discover %s: %w", d.Server, cause) // a guess would be wrong
	}
	d.Servers = []oauth.Server{srv}
	return d, nil
}
