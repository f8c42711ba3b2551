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
	// discoverySteps limits a whole discovery to this many request timeouts. At
	// least three requests run one after another: to the MCP server, for its
	// metadata, and for the metadata of an authorization server.
	discoverySteps = 3
	// defaultStep is the timeout of one request if the client has none.
	defaultStep = 30 * time.Second
	// maxFetches limits the concurrent metadata requests.
	maxFetches = 4
)

// Discovery is what an MCP server and its authorization servers publish.
type Discovery struct {
	Server   string // the URL of the MCP server
	Resource oauth.Resource
	Servers  []oauth.Server // in the resource's order, without the unreadable ones
	Errors   []error        // one for each authorization server that could not be read
}

// Discover reads the protected resource metadata of an MCP server (RFC 9728),
// then the metadata of each of its authorization servers (RFC 8414). A server
// of the 2025-03-26 specification, which publishes no resource metadata, is its
// own authorization server. Discover fails if no authorization server could be
// read. It takes at most three times the client's Timeout; authorization
// servers that have not responded by then count as unreadable.
func Discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	ctx, cancel := withDiscoveryTimeout(ctx, c)
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

// withDiscoveryTimeout limits a discovery, because the MCP server decides which and
// how many servers are requested.
func withDiscoveryTimeout(ctx context.Context, c *http.Client) (context.Context, context.CancelFunc) {
	step := defaultStep
	if c != nil && c.Timeout > 0 {
		step = c.Timeout
	}
	return context.WithTimeout(ctx, discoverySteps*step)
}

// fetchServers reads the metadata of the authorization servers, up to
// maxFetches at a time, and keeps their order.
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

// legacy discovers a server of the 2025-03-26 specification: no resource
// metadata, an authorization server at the same origin, and no resource
// parameter. Endpoints are guessed only if the MCP server requires a token and
// names no metadata.
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
