package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// ProxyError says that the HTTP proxy is what keeps a request from its server.
type ProxyError struct {
	Proxy  string // host and port; "" if no proxy could be chosen
	Status int    // that the proxy answered; 0: none was asked
	Err    error  // why none could be chosen; nil if the proxy answered
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

// proxyRefusal names the proxy where it refuses to connect. The transport's own
// error has nothing but the words of the status, which reads as the server's.
func proxyRefusal(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: Sanitize(proxy.Host, 200), Status: resp.StatusCode}
}
