package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// TestProxySignsInWithHeaders: a gateway in front of the server rejects every
// request without its header, including the discovery of a sign-in.
func TestProxySignsInWithHeaders(t *testing.T) {
	var mu sync.Mutex
	var keys []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, r.Header.Get("X-Key"))
		http.NotFound(w, r)
	}))
	defer web.Close()
	e, _, stderr := testEnv(t)
	if code := run(t.Context(), []string{"proxy", web.URL + "/mcp", "--login", "--keeper", "key-file", "--header", "X-Key: gateway"}, &e.env); code == 0 {
		t.Error("the sign-in succeeded at a server without metadata")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(keys) == 0 || slices.Contains(keys, "") {
		t.Errorf("headers %q, %s", keys, stderr)
	}
}
