//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httputil"
)

// duplex makes a reverse proxy forward a request and its response at the same time.
// When the response begins, the proxy may not have read the whole request yet. By
// default, net/http then closes the request, which truncates the response.
func duplex(proxy *httputil.ReverseProxy) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err) // every server of net/http supports it
		}
		proxy.ServeHTTP(w, r)
	})
}
