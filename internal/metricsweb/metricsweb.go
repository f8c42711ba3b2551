// Package metricsweb serves metrics, and nothing else, on a loopback address. The
// kernel reports no peer there, so every program on this machine can read them. It
// must not know what is measured.
package metricsweb

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mcp-login/mcp-login/internal/connlimit"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// Path is where the metrics are.
const Path = "/metrics"

const (
	// scrapeTime limits one scrape, and maxScrapes the connections for them.
	scrapeTime = 10 * time.Second
	maxScrapes = 16
	maxHeader  = 16 << 10
)

// Listen listens at the address of --metrics-listen, and says so.
func Listen(address string, say func(format string, a ...any)) (net.Listener, error) {
	l, err := netcheck.Listen(address)
	switch {
	case errors.Is(err, netcheck.ErrAddress):
		return nil, exit.Usage(fmt.Errorf("--metrics-listen %w", err))
	case err != nil:
		return nil, &exit.Error{Code: exit.Failed, Text: "--metrics-listen: " + err.Error()} // a permanent error, although it comes from package net
	}
	say("metrics: http://%s%s", l.Addr(), Path)
	return l, nil
}

// New returns a server, and the listener to serve.
func New(l net.Listener, metrics http.Handler, log *slog.Logger) (*http.Server, net.Listener) {
	limited := &connlimit.Listener{Listener: l, Limit: maxScrapes}
	web := limited.Server(handler(metrics), log)
	web.MaxHeaderBytes, web.ReadTimeout, web.WriteTimeout = maxHeader, scrapeTime, scrapeTime
	return web, limited
}

// Serve serves metrics until the function that it returns is called.
func Serve(l net.Listener, metrics http.Handler, log *slog.Logger) (stop func()) {
	web, limited := New(l, metrics, log)
	done := make(chan error, 1)
	go func() { done <- web.Serve(limited) }()
	return func() {
		_ = web.Close() // an interrupted scrape is retried
		<-done
	}
}

// handler rejects requests of web pages by DNS rebinding, which have the name of
// their site as Host.
func handler(metrics http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !netcheck.IsLoopback(r.Host):
			http.Error(w, "requests must name a loopback address", http.StatusForbidden)
		case r.URL.Path != Path:
			http.NotFound(w, r)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "use GET", http.StatusMethodNotAllowed)
		default:
			metrics.ServeHTTP(w, r)
		}
	})
}
