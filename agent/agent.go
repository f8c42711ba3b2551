// Package agent keeps the credentials of chosen profiles fresh, and hands their
// headers out over a Unix socket to programs of the same user.
//
// A program that wants a token asks with a [Client]:
//
//	c := &agent.Client{Socket: os.Getenv("MCP_LOGIN_AGENT_SOCK")}
//	headers, err := c.Headers(ctx, "notion")
//
// A program that is the agent makes one with [New], opens its sockets with
// [Listen] and calls [Agent.Run].
//
// # Security
//
// A socket is made with mode 0600, and each connection's peer is asked of the
// kernel: only the user that the agent runs as is served, whatever the mode of
// the socket. What is handed out is the access token alone. A refresh token
// never leaves the agent, so a socket that is forwarded to another host
// (ssh -R) lends what is short-lived and takes it back by ending. A [Socket]
// may be limited to some profiles, a person may be asked each time
// ([Config].Confirm), and every request for a token is one line of the audit
// log, without the token.
//
// # Stability
//
// Exported names follow semantic versioning. The HTTP paths below /v1 and
// their JSON are only added to.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// Config says which credentials an Agent keeps.
type Config struct {
	// Profiles are what is kept; nil means every one in the store.
	Profiles []string
	// Session is what each profile's session is opened with. Its Profile is set
	// by the agent; Store is required.
	Session mcplogin.Config
	// Confirm is asked before each hand-out. Its error refuses it. Nil asks
	// nobody.
	Confirm func(context.Context, Request) error
	// Audit takes each line of the audit log. Its error refuses the hand-out.
	// Nil: none is written.
	Audit io.Writer
	// Log hears of what goes on; nil means silence. No secret is logged.
	Log *slog.Logger
}

// Agent keeps credentials and hands them out. It is safe for use by many
// goroutines.
type Agent struct {
	cfg     Config
	log     *slog.Logger
	wake    chan struct{} // the schedule has changed
	watch   watch
	audit   sync.Mutex // guards cfg.Audit
	metrics metrics

	mu       sync.Mutex // guards what follows, and the fields of each profile
	profiles map[string]*profile
	due      schedule
	clients  map[string]*http.Client // by MCP server, for all sessions together
}

// New returns an Agent. It does no I/O.
func New(cfg Config) (*Agent, error) {
	if cfg.Session.Store == nil {
		return nil, errors.New("new agent: no store")
	}
	for _, name := range cfg.Profiles {
		if err := secrets.CheckName(name); err != nil {
			return nil, fmt.Errorf("profile %q: %w", name, err)
		}
	}
	if cfg.Session.MinTTL == 0 {
		cfg.Session.MinTTL = mcplogin.DefaultMinTTL
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Agent{
		cfg: cfg, log: cfg.Log, wake: make(chan struct{}, 1),
		profiles: map[string]*profile{}, clients: map[string]*http.Client{},
	}, nil
}

// drainTime is how long requests that have begun may take once Run is to end.
const drainTime = 10 * time.Second

// Run keeps the profiles and serves the sockets until ctx ends. Then it takes
// no more connections, ends the requests and refreshes that have begun, and
// returns nil.
func (a *Agent) Run(ctx context.Context, sockets ...Socket) error {
	if err := a.Reload(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	wg.Go(func() { a.keep(running) })
	servers := make([]*http.Server, len(sockets))
	for i, s := range sockets {
		servers[i] = a.server(ctx, s)
		wg.Go(func() {
			if err := servers[i].Serve(guarded{s.Listener, a.log}); !errors.Is(err, http.ErrServerClosed) {
				stop(fmt.Errorf("serve %s socket: %w", s.name(), err))
			}
		})
	}
	<-running.Done()
	a.log.Info("draining")
	var drains sync.WaitGroup
	for _, srv := range servers {
		drains.Go(func() { drain(ctx, srv) })
	}
	drains.Wait()
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// drain ends a server when its requests have ended, or have had their time.
func drain(ctx context.Context, srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close() // what is left had its time
	}
}

// Reload looks again which profiles there are, and at the stored record of
// each.
func (a *Agent) Reload(ctx context.Context) error {
	if err := a.survey(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for _, p := range a.profiles {
		a.due.plan(p, now)
	}
	a.poke()
	return nil
}

// survey keeps the profiles that there are now, and no others.
func (a *Agent) survey(ctx context.Context) error {
	names, err := a.names(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, p := range a.profiles {
		if !slices.Contains(names, name) {
			a.due.remove(p)
			delete(a.profiles, name)
		}
	}
	for _, name := range names {
		if a.profiles[name] != nil {
			continue
		}
		p, err := a.open(name)
		if err != nil {
			return err
		}
		a.profiles[name] = p
		a.due.plan(p, time.Now())
	}
	a.poke()
	return nil
}

func (a *Agent) names(ctx context.Context) ([]string, error) {
	if a.cfg.Profiles != nil {
		return a.cfg.Profiles, nil
	}
	names, err := a.cfg.Session.Store.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the profiles: %w", err)
	}
	return names, nil
}

// open makes a profile. What is due is the agent's to say, so the session
// itself refreshes only what has expired.
func (a *Agent) open(name string) (*profile, error) {
	cfg := a.cfg.Session
	cfg.Profile, cfg.MinTTL, cfg.HTTP = name, 1, a.client
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &profile{name: name, session: s, index: unplanned}, nil
}

// client returns one http.Client for each MCP server, so that a thousand
// profiles of one server share its connections.
func (a *Agent) client(server string) *http.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.clients[server]; c != nil {
		return c
	}
	if a.cfg.Session.HTTP != nil {
		a.clients[server] = a.cfg.Session.HTTP(server)
	} else {
		a.clients[server] = oauth.Guard{Server: server}.Client()
	}
	return a.clients[server]
}

// find returns a profile that is kept. If all that are stored are kept, one
// that was stored since is kept from now on.
func (a *Agent) find(ctx context.Context, name string) (*profile, error) {
	if p := a.kept(name); p != nil || a.cfg.Profiles != nil {
		return p, nil
	}
	if err := a.survey(ctx); err != nil {
		return nil, err
	}
	return a.kept(name), nil
}

func (a *Agent) kept(name string) *profile {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.profiles[name]
}

// poke makes the schedule be looked at.
func (a *Agent) poke() {
	select {
	case a.wake <- struct{}{}:
	default: // it will be
	}
}
