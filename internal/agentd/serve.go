package agentd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	maxHeader  = 16 << 10
	headerTime = 10 * time.Second
	idleTime   = time.Minute
)

// peerKey finds a connection's peer in a request's context.
type peerKey struct{}

// server returns what serves one socket.
func (a *Agent) server(ctx context.Context, s Socket) *http.Server {
	return &http.Server{
		Handler:           door{a, s},
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime, // requests have no body
		IdleTimeout:       idleTime,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), endKey{}, ctx) // what has begun may end
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(conn).peer)
		},
	}
}

// door serves the requests of one socket.
type door struct {
	agent  *Agent
	socket Socket
}

// ServeHTTP implements http.Handler. Names are matched as they were escaped:
// one may hold a slash, or be "..".
func (d door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	profile, isProfile := strings.CutPrefix(path, agent.ProfilesPath+"/")
	headersOf, isHeaders := strings.CutSuffix(profile, agent.HeadersPath)
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	case isProfile && isHeaders:
		d.serveHeaders(w, r, headersOf)
	case isProfile && !strings.Contains(profile, "/"):
		d.serveStatus(w, r, profile)
	case path == agent.ProfilesPath:
		d.serveProfiles(w, r)
	case path == agent.HealthPath:
		writeJSON(w, http.StatusOK, d.health())
	case path == metricsPath && d.socket.Allow == nil:
		d.agent.metrics.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// wish is what a request asks for.
type wish struct {
	profile  string
	minTTL   time.Duration
	rejected string // digest of the token that the MCP server took no more; "": none
}

// wished reads a request about a profile, whose name is escaped.
func wished(r *http.Request, escaped string) (w wish, err error) {
	name, err := url.PathUnescape(escaped)
	if err == nil {
		err = secrets.CheckName(name)
	}
	if err != nil {
		return w, fmt.Errorf("%w: %q", secrets.ErrName, oauth.Sanitize(escaped, 100))
	}
	query := r.URL.Query()
	w = wish{profile: name, rejected: query.Get("rejected")}
	if w.minTTL, err = time.ParseDuration(cmp.Or(query.Get("min_ttl"), "0s")); err != nil {
		return w, fmt.Errorf("%w: min_ttl is no duration", secrets.ErrName)
	}
	return w, nil
}

// open returns a profile that this socket may tell of.
func (d door) open(ctx context.Context, name string) (*profile, error) {
	if !d.allows(name) {
		return nil, fmt.Errorf("%w: this socket does not hand out %q", agent.ErrDenied, name)
	}
	p, err := d.agent.find(ctx, name)
	if err == nil && p == nil {
		err = notKept(name)
	}
	return p, err
}

func (d door) allows(name string) bool {
	return d.socket.Allow == nil || slices.Contains(d.socket.Allow, name)
}

func (d door) serveHeaders(w http.ResponseWriter, r *http.Request, escaped string) {
	a := d.agent
	defer a.metrics.begin()()
	peer, _ := r.Context().Value(peerKey{}).(privsock.Peer)
	req := Request{Time: time.Now().UTC(), Socket: d.socket.name(), Peer: peer}
	if err := d.pass(&req); err != nil {
		writeError(w, err)
		return
	}
	c, header, err := d.handOut(r, escaped, &req)
	req.decide(c, err)
	if err = a.conclude(req, err); err != nil {
		a.log.Warn("nothing handed out", "profile", req.Profile, "socket", req.Socket, "pid", peer.PID, "exe", peer.Exe, "error", err)
		writeError(w, err)
		return
	}
	a.log.Info("handed out", "profile", req.Profile, "socket", req.Socket, "pid", peer.PID, "exe", peer.Exe)
	writeJSON(w, http.StatusOK, agent.Answer{
		Profile: c.Profile, Server: c.Server, Headers: map[string]string{"Authorization": header}, Expiry: c.Token.Expiry,
	})
}

// handOut decides on a request, which it completes, and gets what it asks for.
func (d door) handOut(r *http.Request, escaped string, req *Request) (c mcplogin.Credential, header string, err error) {
	want, err := wished(r, escaped)
	req.Profile = want.profile
	if err != nil {
		return c, "", err
	}
	p, err := d.open(r.Context(), want.profile)
	if err != nil {
		return c, "", err
	}
	if err := d.confirm(r.Context(), *req); err != nil {
		return c, "", err
	}
	if c, err = d.agent.credential(r.Context(), p, want); err != nil {
		return c, "", err
	}
	header, err = c.Authorization()
	return c, header, err
}

// serveStatus tells of the stored credential. No token is handed out.
func (d door) serveStatus(w http.ResponseWriter, r *http.Request, escaped string) {
	want, err := wished(r, escaped)
	if err != nil {
		writeError(w, err)
		return
	}
	p, err := d.open(r.Context(), want.profile)
	if err != nil {
		writeError(w, err)
		return
	}
	c, err := d.agent.stored(r.Context(), p)
	d.agent.learn(r.Context(), p, c, err)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, c.Status(want.minTTL))
}

// serveProfiles tells the names that this socket hands out.
func (d door) serveProfiles(w http.ResponseWriter, r *http.Request) {
	names, err := d.agent.names(r.Context())
	if err != nil {
		writeError(w, err)
		return
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !d.allows(name) })
	writeJSON(w, http.StatusOK, agent.ProfileList{Profiles: names})
}

// health tells the state of each profile, through a socket without limits.
func (d door) health() agent.Health {
	h := agent.Health{Status: healthOK}
	a := d.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	if d.useless() {
		h.Status = healthDegraded
	}
	if d.socket.Allow != nil {
		return h
	}
	h.Profiles = make(map[string]agent.Status, len(a.profiles))
	for name, p := range a.profiles {
		s := agent.Status{State: p.state(), Expiry: p.last.Token.Expiry, Next: p.at.UTC()}
		if p.err != nil {
			s.Error = oauth.Sanitize(p.err.Error(), maxMessage)
		}
		h.Profiles[name] = s
	}
	return h
}

// useless reports whether there are profiles that this socket hands out, and not
// one that is well.
func (d door) useless() bool {
	found := false
	for name, p := range d.agent.profiles {
		if !d.allows(name) {
			continue
		}
		if found = true; p.err == nil {
			return false
		}
	}
	return found
}

// The states of a profile.
const (
	stateUnread = "unread" // not yet looked at
	stateFresh  = "fresh"
	stateLogin  = "login required"
	stateFaulty = "faulty" // the last refresh or read failed; it is tried again
)

func (k known) state() string {
	switch {
	case errors.Is(k.err, mcplogin.ErrLoginRequired):
		return stateLogin
	case k.err != nil:
		return stateFaulty
	case k.last.Profile == "":
		return stateUnread
	}
	return stateFresh
}

// The values of Health.Status.
const (
	healthOK       = "ok"
	healthDegraded = "degraded"
)

func writeError(w http.ResponseWriter, err error) {
	e := errorFor(err)
	status := statuses[e.Code]
	if errors.Is(err, errFlood) {
		status = http.StatusTooManyRequests
	}
	writeJSON(w, status, e)
}

// writeJSON answers with one JSON value. A client that has gone is no concern.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
