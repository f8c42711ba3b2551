package relay

import (
	"fmt"
	"net/http"

	vm "github.com/VictoriaMetrics/metrics"
)

const metricPrefix = "mcp_login_relay_"

// metrics are the relay's counters. They contain no personal data.
type metrics struct {
	set      *vm.Set
	opened   *vm.Counter
	refused  *vm.Counter // sessions that were not opened
	answered *vm.Counter // authorization responses received
	limited  *vm.Counter // requests over a limit
	ended    map[Outcome]*vm.Counter
	waiting  *vm.Gauge
	duration *vm.Histogram // from opening to end
}

func newMetrics() *metrics {
	set := vm.NewSet()
	m := &metrics{
		set:      set,
		opened:   set.NewCounter(metricPrefix + "sessions_opened_total"),
		refused:  set.NewCounter(metricPrefix + "sessions_refused_total"),
		answered: set.NewCounter(metricPrefix + "callbacks_total"),
		limited:  set.NewCounter(metricPrefix + "requests_limited_total"),
		waiting:  set.NewGauge(metricPrefix+"clients_waiting", nil),
		duration: set.NewHistogram(metricPrefix + "session_duration_seconds"),
		ended:    map[Outcome]*vm.Counter{},
	}
	for _, o := range []Outcome{OutcomeOK, OutcomeDenied, OutcomeFailed} {
		m.ended[o] = set.NewCounter(fmt.Sprintf("%ssessions_ended_total{outcome=%q}", metricPrefix, o))
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
