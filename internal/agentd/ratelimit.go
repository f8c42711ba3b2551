package agentd

import (
	"errors"
	"fmt"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
)

// Each request for a token is a line of the audit log, so each socket has a rate
// limit: about 20 kB of log a second, after a burst that lets a thousand profiles
// be requested at once.
const (
	perSecond = 50
	burst     = 1000
	// reportEvery is the minimum interval between two reports of rejected
	// requests. A report of each would itself fill the log.
	reportEvery = 10 * time.Second
)

// errRateLimited rejects a request above the rate limit.
var errRateLimited = errors.New("too many requests at this socket")

// rateLimiters limit requests for tokens, each socket separately.
type rateLimiters struct {
	mu     sync.Mutex // guards byName and every rateLimiter in it
	byName map[string]*rateLimiter
}

// rateLimiter is a token bucket.
type rateLimiter struct {
	tokens     float64   // requests that are accepted at once
	updated    time.Time // when tokens was computed
	rejected   int       // requests since the last report
	reportedAt time.Time
}

// allow counts a request and reports whether it is within the limit. With
// rejected > 0 the caller reports that number of rejected requests.
func (l *rateLimiters) allow(socket string) (ok bool, rejected int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]*rateLimiter{}
	}
	now := time.Now()
	s := l.byName[socket]
	if s == nil {
		s = &rateLimiter{tokens: burst, updated: now}
		l.byName[socket] = s
	}
	s.tokens = min(s.tokens+now.Sub(s.updated).Seconds()*perSecond, burst)
	s.updated = now
	if s.tokens >= 1 {
		s.tokens--
		return true, 0
	}
	s.rejected++
	if now.Sub(s.reportedAt) < reportEvery {
		return false, 0
	}
	rejected, s.rejected, s.reportedAt = s.rejected, 0, now
	return false, rejected
}

// limit rejects a request above the rate limit. The audit log gets one line for
// all requests that are rejected within an interval.
func (h handler) limit(r *Request) error {
	a := h.agent
	ok, rejected := a.rateLimiters.allow(r.Socket)
	if ok {
		return nil
	}
	err := fmt.Errorf("%w: the limit is %d a second", errRateLimited, perSecond)
	if rejected == 0 {
		a.metrics.request(string(agent.CodeTemporary))
		return err
	}
	r.decide(mcplogin.Credential{}, fmt.Errorf("%w; rejected since the last such message: %d", err, rejected))
	a.log.Warn("requests rejected by the rate limit", "socket", r.Socket, "requests", rejected, "pid", r.PID, "exe", r.Exe)
	return a.conclude(*r, err)
}
