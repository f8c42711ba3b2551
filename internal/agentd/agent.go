// Package agentd is the server half of the agent: it keeps the credentials of
// chosen profiles fresh, and issues their headers over a Unix socket to programs
// of the same user. It schedules refreshes, decides on requests, and writes the
// audit log. The client and the types of the API are in package agent.
//
// It must not know where credentials are stored, how a profile is configured, or
// how the user signs in: each is passed in. It asks one question itself, whether to
// issue a token ([Dialog]).
//
// # Security
//
// A socket has mode 0600, and the kernel reports each connection's peer: only the
// user that the agent runs as is served, whatever the mode of the socket. Only
// access tokens are issued. A refresh token never leaves the agent, so a socket
// that is forwarded to another host (ssh -R) provides only short-lived tokens,
// and only while it is forwarded. A [Socket] can be limited to some profiles, the
// user can be asked each time ([Config].Confirm), and every request for a
// token is one line of the audit log, without the token.
package agentd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/metricsweb"
	"github.com/mcp-login/mcp-login/oauth"
)

// Config says which credentials an Agent keeps.
type Config struct {
	// Profiles returns the names of the profiles to keep. It is called at the
	// start, by Reload, and when a client requests an unknown profile. Required.
	Profiles func(context.Context) ([]string, error)
	// Session is the configuration of each profile's session. The agent sets its
	// Profile. Its Source is required.
	Session mcplogin.Config
	// Adapt changes Session for one profile. Nil changes nothing.
	Adapt func(profile string, cfg *mcplogin.Config) error
	// Confirm is called before a token is issued. Its error rejects the request.
	// Nil confirms all.
	Confirm func(context.Context, Request) error
	// Audit gets each line of the audit log. No token is issued if it returns an
	// error. Nil writes no audit log.
	Audit io.Writer
	// Metrics is where GET /metrics is served, for a Prometheus server on this
	// machine; netcheck.Listen makes it. Run closes it. Nil: only the sockets
	// serve metrics.
	Metrics net.Listener
	// Sinks are the files in which valid tokens are kept while Run runs. Their
	// profiles must be among those of Profiles. The caller has called
	// Sink.Check for each.
	Sinks []Sink
	// KeepSinks leaves the files in place when Run ends.
	KeepSinks bool
	// End is called when a client asks the agent to end, through a socket without
	// limits. It should end the context of Run. Nil rejects such requests.
	End func()
	// Log gets events, never a secret. Nil logs nothing.
	Log *slog.Logger
}

// Agent keeps credentials fresh and issues their tokens. It is safe for
// concurrent use.
type Agent struct {
	cfg          Config
	log          *slog.Logger
	wake         chan struct{} // the schedule has changed
	sinks        []*sink
	dropped      sync.WaitGroup // refreshes of profiles that a reload has dropped
	watch        watch
	audit        sync.Mutex // guards cfg.Audit
	rateLimiters rateLimiters
	metrics      metrics

	mu       sync.Mutex // guards what follows, and the fields of each profile
	profiles map[string]*profile
	due      schedule
	waiting  []net.Conn // of the clients that wait for the end of this process
}

// New returns an Agent. It does no I/O.
func New(cfg Config) (*Agent, error) {
	if cfg.Session.Source == nil || cfg.Profiles == nil {
		return nil, errors.New("new agent: a source and the list of profiles are required")
	}
	if cfg.Session.HTTP == nil {
		cfg.Session.HTTP = oauth.Guard{}.Clients() // a thousand profiles of one server share its connections
	}
	if cfg.Session.MinTTL == 0 {
		cfg.Session.MinTTL = mcplogin.DefaultMinTTL
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{cfg: cfg, log: cfg.Log, wake: make(chan struct{}, 1), profiles: map[string]*profile{}}
	a.metrics = newMetrics(a)
	for _, s := range cfg.Sinks {
		a.sinks = append(a.sinks, &sink{Sink: s, changed: make(chan struct{}, 1)})
	}
	return a, nil
}

// drainTime is the time that requests in progress have to complete when Run ends.
const drainTime = 10 * time.Second

// Run keeps the profiles and serves the sockets until ctx ends. Then it accepts
// no new connections, completes the requests and refreshes that have begun, and
// returns nil.
func (a *Agent) Run(ctx context.Context, sockets ...Socket) error {
	if err := a.Reload(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	if a.empty() {
		a.log.Info("no credential is stored yet")
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	wg.Go(func() { a.keep(running) })
	for _, s := range a.sinks {
		wg.Go(func() { a.keepSink(running, s) })
	}
	endpoints := a.endpoints(ctx, sockets)
	for _, s := range endpoints {
		wg.Go(func() {
			if err := s.web.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				stop(fmt.Errorf("serve %s: %w", s.name, err))
			}
		})
	}
	for _, s := range sockets {
		wg.Go(func() { a.watchSocket(running, s) })
	}
	<-running.Done()
	a.log.Info("draining")
	var drains sync.WaitGroup
	for _, s := range endpoints {
		drains.Go(func() { drain(ctx, s.web) })
	}
	drains.Wait()
	wg.Wait()
	a.waitForRefreshes()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// waitForRefreshes waits for refreshes in flight whose requests have ended:
// their responses must be stored.
func (a *Agent) waitForRefreshes() {
	a.mu.Lock()
	kept := slices.Collect(maps.Values(a.profiles))
	a.mu.Unlock()
	for _, p := range kept {
		p.wait()
	}
	a.dropped.Wait()
}

// wait waits until no refresh of the profile is in flight.
func (p *profile) wait() {
	p.opening.Lock()
	s := p.session
	p.opening.Unlock()
	if s != nil {
		s.Wait()
	}
}

// endpoint is an HTTP server and its listener.
type endpoint struct {
	web      *http.Server
	listener net.Listener
	name     string
}

func (a *Agent) endpoints(ctx context.Context, sockets []Socket) (all []endpoint) {
	for _, s := range sockets {
		all = append(all, endpoint{a.server(ctx, s), guarded{s.Listener, a.log}, s.name() + " socket"})
	}
	if a.cfg.Metrics != nil {
		web, limited := metricsweb.New(a.cfg.Metrics, &a.metrics, a.log)
		all = append(all, endpoint{web, limited, "metrics"})
	}
	return all
}

// drain shuts a server down, after drainTime at the latest.
func drain(ctx context.Context, srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close() // the remaining requests had drainTime
	}
}

// Reload lists the profiles again, calls Adapt for each, and reads its stored
// record.
func (a *Agent) Reload(ctx context.Context) error { return a.syncProfiles(ctx, true) }

// syncProfiles keeps exactly the profiles that are listed now. With reopen it
// opens the sessions of those that were kept already again.
func (a *Agent) syncProfiles(ctx context.Context, reopen bool) error {
	names, err := a.names(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, p := range a.profiles {
		if !slices.Contains(names, name) {
			a.due.remove(p)
			a.dropped.Go(p.wait)
			delete(a.profiles, name)
			a.signalSinks(name)
		}
	}
	for _, name := range names {
		old := a.profiles[name]
		if old != nil && !reopen {
			continue
		}
		p := &profile{name: name, index: unplanned}
		if old != nil {
			p.known = old.known
			a.due.remove(old)
			a.dropped.Go(old.wait)
		}
		a.profiles[name] = p
		a.due.plan(p, time.Now())
	}
	a.wakeScheduler()
	return nil
}

func (a *Agent) names(ctx context.Context) ([]string, error) {
	names, err := a.cfg.Profiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the profiles: %w", err)
	}
	return names, nil
}

// open returns a profile's session. If one profile cannot be opened, the agent
// serves the others and retries.
func (a *Agent) open(p *profile) (*mcplogin.Session, error) {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.session != nil {
		return p.session, nil
	}
	cfg := a.cfg.Session
	if a.cfg.Adapt != nil {
		if err := a.cfg.Adapt(p.name, &cfg); err != nil {
			return nil, fmt.Errorf("profile %q: %w", p.name, err)
		}
	}
	cfg.Profile, cfg.Renewal.MaxWait = p.name, maxWait
	cfg.Renewal.Done = func(c mcplogin.Credential, err error) { a.refreshed(p, c, err) }
	var err error
	p.session, err = mcplogin.Open(cfg)
	return p.session, err
}

// stored reads a profile's record.
func (a *Agent) stored(ctx context.Context, p *profile) (mcplogin.Credential, error) {
	s, err := a.open(p)
	if err != nil {
		return mcplogin.Credential{}, err
	}
	return s.Accepted(ctx)
}

// find returns a profile; nil if unknown. It lists the profiles again before it
// returns nil.
func (a *Agent) find(ctx context.Context, name string) (*profile, error) {
	if p := a.kept(name); p != nil {
		return p, nil
	}
	if err := a.syncProfiles(ctx, false); err != nil {
		return nil, err
	}
	return a.kept(name), nil
}

func (a *Agent) empty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.profiles) == 0
}

func (a *Agent) kept(name string) *profile {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.profiles[name]
}

// wakeScheduler makes the scheduler compare the schedule with the clock.
func (a *Agent) wakeScheduler() { notify(a.wake) }

// notify signals a channel with a buffer of one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is already signaled
	}
}
