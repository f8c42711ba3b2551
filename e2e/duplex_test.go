//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httputil"
)

// duplex has a reverse proxy pass on a request and its answer at the same time. When the
// answer begins, it may not have seen the end of the request yet, however short that is:
// if net/http closes the request then, as it does otherwise, the answer is cut off.
func duplex(proxy *httputil.ReverseProxy) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err) // every server of net/http can
		}
		proxy.ServeHTTP(w, r)
	})
}
