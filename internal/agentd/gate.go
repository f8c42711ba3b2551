package agentd

import (
	"errors"
	"fmt"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
)

// Each request for a token is a line of the audit log, so what one socket may
// have written is bounded: to about 20 kB a second, after a burst that a
// thousand profiles may make at once.
const (
	perSecond = 50
	burst     = 1000
	// tellEvery is how often it is said that requests are turned away: to say
	// it of each would be what is to be bounded.
	tellEvery = 10 * time.Second
)

// errFlood turns a request away that is one too many.
var errFlood = errors.New("too many requests at this socket")

// gates bound how often tokens are asked for, each socket by itself.
type gates struct {
	mu     sync.Mutex // guards what follows, and every gate
	byName map[string]*gate
}

// gate is a token bucket.
type gate struct {
	left   float64   // requests that may come at once
	at     time.Time // when that was
	turned int       // away, since it was told
	told   time.Time
}

// pass counts a request. With turned > 0 it is to be told that so many were
// turned away.
func (g *gates) pass(socket string) (ok bool, turned int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byName == nil {
		g.byName = map[string]*gate{}
	}
	now := time.Now()
	s := g.byName[socket]
	if s == nil {
		s = &gate{left: burst, at: now}
		g.byName[socket] = s
	}
	s.left = min(s.left+now.Sub(s.at).Seconds()*perSecond, burst)
	s.at = now
	if s.left >= 1 {
		s.left--
		return true, 0
	}
	s.turned++
	if now.Sub(s.told) < tellEvery {
		return false, 0
	}
	turned, s.turned, s.told = s.turned, 0, now
	return false, turned
}

// pass turns a request away if there are too many. Nothing is handed out then,
// and the audit log gets one line for all those of some time.
func (d door) pass(r *Request) error {
	a := d.agent
	ok, turned := a.gates.pass(r.Socket)
	if ok {
		return nil
	}
	err := fmt.Errorf("%w: %d a second are served", errFlood, perSecond)
	if turned == 0 {
		a.metrics.request(string(agent.CodeTemporary))
		return err
	}
	r.decide(mcplogin.Credential{}, fmt.Errorf("%w; turned away since the last such line: %d", err, turned))
	a.log.Warn("requests are turned away", "socket", r.Socket, "requests", turned, "pid", r.PID, "exe", r.Exe)
	return a.conclude(*r, err)
}
