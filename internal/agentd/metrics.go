package agentd

import (
	"errors"
	"fmt"
	"net/http"

	vm "github.com/VictoriaMetrics/metrics"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// metrics are the agent's counters, in the Prometheus text format.
type metrics struct {
	set                 *vm.Set
	refreshes, requests map[string]*vm.Counter // by result
	running             *vm.Gauge
	clockJumps          *vm.Counter
}

const metricPrefix = "mcp_login_agent_"

func newMetrics(a *Agent) metrics {
	vm.ExposeMetadata(true) // a TYPE line before each metric; the library keeps this for the whole process
	set := vm.NewSet()
	// Create all counters at the start: a counter that appears with its first
	// event hides that event from rate().
	byResult := func(name string, results ...string) map[string]*vm.Counter {
		counters := map[string]*vm.Counter{}
		for _, result := range results {
			counters[result] = set.NewCounter(fmt.Sprintf("%s%s{result=%q}", metricPrefix, name, result))
		}
		return counters
	}
	m := metrics{
		set:        set,
		refreshes:  byResult("refreshes_total", resultOK, string(agent.CodeLogin), string(agent.CodeTemporary), string(agent.CodeFailed)),
		requests:   byResult("requests_total", resultIssued, string(agent.CodeDenied), string(agent.CodeLogin), string(agent.CodeTemporary), string(agent.CodeFailed)),
		running:    set.NewGauge(metricPrefix+"requests_running", nil),
		clockJumps: set.NewCounter(metricPrefix + "clock_jumps_total"),
	}
	for _, state := range []string{stateFresh, stateLogin, stateFaulty, stateUnread} {
		set.NewGauge(fmt.Sprintf("%sprofiles{state=%q}", metricPrefix, state), func() float64 { return float64(a.count(state)) })
	}
	return m
}

// ServeHTTP writes all metrics, including those of the Go runtime and the
// process.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.set.WritePrometheus(w)
	vm.WriteProcessMetrics(w)
}

// count returns how many profiles are in a state.
func (a *Agent) count(state string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.profiles {
		if p.state() == state {
			n++
		}
	}
	return n
}

// Results that are no Code.
const (
	resultOK     = "ok"
	resultIssued = "handed_out"
)

// refresh counts the result of a refresh.
func (m *metrics) refresh(err error) {
	result := string(agent.CodeFailed)
	switch {
	case err == nil:
		result = resultOK
	case errors.Is(err, mcplogin.ErrLoginRequired):
		result = string(agent.CodeLogin)
	case errors.Is(err, secrets.ErrTemporary), oauth.Temporary(err):
		result = string(agent.CodeTemporary)
	}
	m.refreshes[result].Inc()
}

// begin counts a request for headers as running until end is called.
func (m *metrics) begin() (end func()) {
	m.running.Inc()
	return m.running.Dec
}

// request counts the outcome of a request for headers.
func (m *metrics) request(outcome string) {
	result := string(agent.CodeFailed)
	switch outcome {
	case outcomeIssued:
		result = resultIssued
	case string(agent.CodeDenied), string(agent.CodeLogin), string(agent.CodeTemporary):
		result = outcome
	}
	m.requests[result].Inc()
}
