package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// ProxyError means that a request failed at the HTTP proxy, not at the server.
type ProxyError struct {
	Proxy  string // host and port; "" if no proxy could be chosen
	Status int    // HTTP status of the proxy; 0: no proxy was contacted
	Err    error  // why no proxy could be chosen; nil if the proxy responded
}

func (e *ProxyError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("the URL of the HTTP proxy is not valid: %v", e.Err)
	case e.Status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("the HTTP proxy %s requires a user name and password (HTTP 407)", e.Proxy)
	}
	return fmt.Sprintf("the HTTP proxy %s rejected the connection (HTTP %d)", e.Proxy, e.Status)
}

// Unwrap returns why no proxy could be chosen.
func (e *ProxyError) Unwrap() error { return e.Err }

func (e *ProxyError) temporary() bool {
	return e.Status >= 500 && e.Status != http.StatusNotImplemented || e.Status == http.StatusTooManyRequests
}

// proxyRefusal returns a *ProxyError if the proxy rejects the CONNECT. The
// transport's own error has only the status text, which reads as if the server
// had sent it.
func proxyRefusal(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: Sanitize(proxy.Host, 200), Status: resp.StatusCode}
}
