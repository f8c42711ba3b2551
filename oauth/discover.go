package oauth

import (
	"context"
	"net/http"
)

// Discover asks an MCP server where it wants to be authorized.
func Discover(ctx context.Context, c *http.Client, serverURL string) (Resource, error) {
	return Resource{}, ErrNoMetadata
}

// FetchServer reads the metadata of an authorization server.
func FetchServer(ctx context.Context, c *http.Client, issuer string) (Server, error) {
	return Server{}, ErrUnsupported
}

// LegacyServer returns the authorization server of an MCP server of
// specification 2025-03-26.
func LegacyServer(ctx context.Context, c *http.Client, serverURL string) (Server, error) {
	return Server{}, ErrUnsupported
}
