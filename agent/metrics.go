package agent

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// metrics are what /metrics tells.
type metrics struct {
	http.Handler
	refreshes, requests *prometheus.CounterVec
	running             prometheus.Gauge
	clockJumps          prometheus.Counter
}

const metricPrefix = "mcp_login_agent_"

func newMetrics(a *Agent) metrics {
	m := metrics{
		refreshes:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricPrefix + "refreshes_total", Help: "Refreshes, by what came of them."}, []string{"result"}),
		requests:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricPrefix + "requests_total", Help: "Requests for headers, by what came of them."}, []string{"result"}),
		running:    prometheus.NewGauge(prometheus.GaugeOpts{Name: metricPrefix + "requests_running", Help: "Requests for headers that have no answer yet."}),
		clockJumps: prometheus.NewCounter(prometheus.CounterOpts{Name: metricPrefix + "clock_jumps_total", Help: "Times that the wall clock jumped or the machine slept."}),
	}
	// A counter that begins with its first event hides that event from rate().
	for _, result := range []string{resultOK, string(CodeLogin), string(CodeTemporary), string(CodeFailed)} {
		m.refreshes.WithLabelValues(result)
	}
	for _, result := range []string{resultHandedOut, string(CodeDenied), string(CodeLogin), string(CodeTemporary), string(CodeFailed)} {
		m.requests.WithLabelValues(result)
	}
	r := prometheus.NewRegistry()
	r.MustRegister(
		m.refreshes, m.requests, m.running, m.clockJumps,
		stateGauge{a, prometheus.NewDesc(metricPrefix+"profiles", "Profiles that are kept, by state.", []string{"state"}, nil)},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.Handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

// Results that are no Code.
const (
	resultOK        = "ok"
	resultHandedOut = "handed_out"
)

// refresh counts what came of a refresh.
func (m *metrics) refresh(err error) {
	result := string(CodeFailed)
	switch {
	case err == nil:
		result = resultOK
	case errors.Is(err, mcplogin.ErrLoginRequired):
		result = string(CodeLogin)
	case errors.Is(err, secrets.ErrTemporary), oauth.Temporary(err):
		result = string(CodeTemporary)
	}
	m.refreshes.WithLabelValues(result).Inc()
}

// begin counts a request for headers as running until end is called.
func (m *metrics) begin() (end func()) {
	m.running.Inc()
	return m.running.Dec
}

// request counts what came of a request for headers.
func (m *metrics) request(outcome string) {
	result := string(CodeFailed)
	switch outcome {
	case handedOut:
		result = resultHandedOut
	case string(CodeDenied), string(CodeLogin), string(CodeTemporary):
		result = outcome
	}
	m.requests.WithLabelValues(result).Inc()
}

// stateGauge counts the profiles that are kept, by state, when it is asked.
type stateGauge struct {
	agent *Agent
	desc  *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g stateGauge) Describe(to chan<- *prometheus.Desc) { to <- g.desc }

// Collect implements prometheus.Collector.
func (g stateGauge) Collect(to chan<- prometheus.Metric) {
	counts := map[string]int{stateFresh: 0, stateLogin: 0, stateFaulty: 0, stateUnread: 0}
	g.agent.mu.Lock()
	for _, p := range g.agent.profiles {
		counts[p.state()]++
	}
	g.agent.mu.Unlock()
	for state, n := range counts {
		to <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(n), state)
	}
}
