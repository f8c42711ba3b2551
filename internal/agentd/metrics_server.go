package agentd

import (
	"net/http"
	"time"

	"github.com/mcp-login/mcp-login/internal/connlimit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

const (
	metricsPath = "/metrics"
	// scrapeTime limits one scrape, and maxScrapes the connections for them.
	scrapeTime = 10 * time.Second
	maxScrapes = 16
)

// metricsServer serves the metrics, and nothing else, on a loopback address. The
// kernel reports no peer there, so every program on this machine can read them.
func (a *Agent) metricsServer() endpoint {
	limited := &connlimit.Listener{Listener: a.cfg.Metrics, Limit: maxScrapes}
	web := limited.Server(http.HandlerFunc(a.serveMetrics), a.log)
	web.MaxHeaderBytes, web.ReadTimeout, web.WriteTimeout = maxHeader, scrapeTime, scrapeTime
	return endpoint{web, limited, "metrics"}
}

// serveMetrics refuses a web page that came here by DNS rebinding: its requests
// have the name of its site as Host.
func (a *Agent) serveMetrics(w http.ResponseWriter, r *http.Request) {
	switch {
	case !netcheck.IsLoopback(r.Host):
		http.Error(w, "requests must name a loopback address", http.StatusForbidden)
	case r.URL.Path != metricsPath:
		http.NotFound(w, r)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	default:
		a.metrics.ServeHTTP(w, r)
	}
}
