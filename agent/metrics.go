package agent

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// metrics are what /metrics tells, as Prometheus's text (exposition format
// 0.0.4). It is written here, and read by Prometheus's own parser in the tests:
// linking its client library would cost each start of the program, agent or
// not, more than reading a credential does.
type metrics struct {
	refreshed, refreshLogin, refreshTemporary, refreshFailed atomic.Int64
	handedOut, denied, login, temporary, failed              atomic.Int64
	running, clockJumps                                      atomic.Int64
}

// refresh counts what came of a refresh.
func (m *metrics) refresh(err error) {
	switch {
	case err == nil:
		m.refreshed.Add(1)
	case errors.Is(err, mcplogin.ErrLoginRequired):
		m.refreshLogin.Add(1)
	case errors.Is(err, secrets.ErrTemporary), oauth.Temporary(err):
		m.refreshTemporary.Add(1)
	default:
		m.refreshFailed.Add(1)
	}
}

// request counts what came of a request for headers.
func (m *metrics) request(outcome string) {
	switch outcome {
	case handedOut:
		m.handedOut.Add(1)
	case string(CodeDenied):
		m.denied.Add(1)
	case string(CodeLogin):
		m.login.Add(1)
	case string(CodeTemporary):
		m.temporary.Add(1)
	default:
		m.failed.Add(1)
	}
}

// series is one value of a metric; label is empty, or name="value".
type series struct {
	label string
	value int64
}

func (a *Agent) serveMetrics(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m := &a.metrics
	writeMetric(w, "mcp_login_agent_refreshes_total", "counter", "Refreshes, by what came of them.",
		series{`result="ok"`, m.refreshed.Load()}, series{`result="login_required"`, m.refreshLogin.Load()},
		series{`result="temporary"`, m.refreshTemporary.Load()}, series{`result="failed"`, m.refreshFailed.Load()})
	writeMetric(w, "mcp_login_agent_requests_total", "counter", "Requests for headers, by what came of them.",
		series{`result="handed_out"`, m.handedOut.Load()}, series{`result="denied"`, m.denied.Load()},
		series{`result="login_required"`, m.login.Load()}, series{`result="temporary"`, m.temporary.Load()},
		series{`result="failed"`, m.failed.Load()})
	writeMetric(w, "mcp_login_agent_requests_running", "gauge", "Requests for headers that have no answer yet.", series{"", m.running.Load()})
	writeMetric(w, "mcp_login_agent_clock_jumps_total", "counter", "Times that the wall clock jumped or the machine slept.", series{"", m.clockJumps.Load()})
	counts := a.states()
	var profiles []series
	for _, state := range []string{stateFresh, stateLogin, stateFaulty, stateUnread} {
		profiles = append(profiles, series{fmt.Sprintf("state=%q", state), counts[state]})
	}
	writeMetric(w, "mcp_login_agent_profiles", "gauge", "Profiles that are kept, by state.", profiles...)
}

func (a *Agent) states() map[string]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := map[string]int64{}
	for _, p := range a.profiles {
		counts[p.state()]++
	}
	return counts
}

// writeMetric writes one metric family. Names, help and labels are constants
// that need no escaping; who reads may have gone.
func writeMetric(w io.Writer, name, kind, help string, values ...series) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	for _, v := range values {
		label := v.label
		if label != "" {
			label = "{" + label + "}"
		}
		fmt.Fprintf(w, "%s%s %d\n", name, label, v.value)
	}
}
