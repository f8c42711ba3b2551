package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

// TestProxyErrors: an error of a proxy is attributed to the proxy, and only an
// overloaded proxy is temporary (cli/cli#5244, cloudfoundry/cli#1765).
func TestProxyErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status    int
		temporary bool
	}{{403, false}, {407, false}, {404, false}, {502, true}, {503, true}} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) }))
			defer proxy.Close()
			via, err := url.Parse(proxy.URL)
			checkErr(t, err, nil)
			c := oauth.Guard{Proxy: func(*http.Request) (*url.URL, error) { return via, nil }}.Client()
			_, err = oauth.Discover(t.Context(), c, "https://mcp.test/mcp")
			e, ok := errors.AsType[*oauth.ProxyError](err)
			if !ok || e.Status != tt.status || !strings.Contains(err.Error(), "the HTTP proxy "+via.Host) {
				t.Errorf("error = %v, want one that names the proxy", err)
			}
			want(t, "temporary", oauth.Temporary(err), tt.temporary)
		})
	}
	c := oauth.Guard{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("bad") }}.Client()
	_, err := oauth.Discover(t.Context(), c, "https://mcp.test/mcp")
	want(t, "an unusable address is temporary", oauth.Temporary(err), false)
}
