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
	"os"
	"slices"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/metricsweb"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	maxHeader  = 16 << 10
	headerTime = 10 * time.Second
	idleTime   = time.Minute
)

// peerKey is the context key of a connection's peer.
type peerKey struct{}

// server returns the HTTP server of one socket.
func (a *Agent) server(ctx context.Context, s Socket) *http.Server {
	return &http.Server{
		Handler:           handler{a, s},
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime, // requests have no body
		IdleTimeout:       idleTime,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), endKey{}, ctx) // requests in progress may complete
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(conn).peer)
		},
	}
}

// handler serves the requests of one socket.
type handler struct {
	agent  *Agent
	socket Socket
}

// ServeHTTP implements http.Handler. Profile names are matched in their escaped
// form, because a name can contain a slash or be "..".
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	profile, isProfile := strings.CutPrefix(path, agent.ProfilesPath+"/")
	headersOf, isHeaders := strings.CutSuffix(profile, agent.HeadersPath)
	switch {
	case r.Method == http.MethodPost && path == agent.StopPath:
		h.serveStop(w, r)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	case isProfile && isHeaders:
		h.serveHeaders(w, r, headersOf)
	case isProfile && !strings.Contains(profile, "/"):
		h.serveStatus(w, r, profile)
	case path == agent.ProfilesPath:
		h.serveProfiles(w, r)
	case path == agent.HealthPath:
		writeJSON(w, http.StatusOK, h.health())
	case path == metricsweb.Path && h.socket.Allow == nil:
		h.agent.metrics.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// tokenRequest is a request for a profile's token.
type tokenRequest struct {
	profile  string
	minTTL   time.Duration
	rejected string // digest of the token that the MCP server rejected; "": none
}

// parseTokenRequest reads a request about a profile, whose name is escaped.
func parseTokenRequest(r *http.Request, escaped string) (w tokenRequest, err error) {
	name, err := url.PathUnescape(escaped)
	if err == nil {
		err = secrets.CheckName(name)
	}
	if err != nil {
		return w, fmt.Errorf("%w: %q", secrets.ErrName, oauth.Sanitize(escaped, 100))
	}
	query := r.URL.Query()
	w = tokenRequest{profile: name, rejected: query.Get("rejected")}
	if w.minTTL, err = time.ParseDuration(cmp.Or(query.Get("min_ttl"), "0s")); err != nil {
		return w, fmt.Errorf("%w: min_ttl is not a duration", secrets.ErrName)
	}
	return w, nil
}

// open returns a profile, if this socket allows it.
func (h handler) open(ctx context.Context, name string) (*profile, error) {
	if !h.allows(name) {
		return nil, fmt.Errorf("%w: this socket does not issue %q", agent.ErrDenied, name)
	}
	p, err := h.agent.find(ctx, name)
	if err == nil && p == nil {
		err = notKept(name)
	}
	return p, err
}

func (h handler) allows(name string) bool {
	return h.socket.Allow == nil || slices.Contains(h.socket.Allow, name)
}

func (h handler) serveHeaders(w http.ResponseWriter, r *http.Request, escaped string) {
	a := h.agent
	defer a.metrics.begin()()
	peer, _ := r.Context().Value(peerKey{}).(privsock.Peer)
	req := Request{Time: time.Now().UTC(), Socket: h.socket.name(), Peer: peer}
	if err := h.limit(&req); err != nil {
		writeError(w, err)
		return
	}
	c, header, err := h.issue(r, escaped, &req)
	req.decide(c, err)
	if err = a.conclude(req, err); err != nil {
		a.log.Warn("token not issued", "profile", req.Profile, "socket", req.Socket, "pid", peer.PID, "exe", peer.Exe, "error", err)
		writeError(w, err)
		return
	}
	a.log.Info("token issued", "profile", req.Profile, "socket", req.Socket, "pid", peer.PID, "exe", peer.Exe)
	writeJSON(w, http.StatusOK, agent.Answer{
		Profile: c.Profile, Server: c.Server, Headers: map[string]string{"Authorization": header}, Expiry: c.Token.Expiry,
	})
}

// issue decides on a request, completes its audit line, and returns the token.
func (h handler) issue(r *http.Request, escaped string, req *Request) (c mcplogin.Credential, header string, err error) {
	want, err := parseTokenRequest(r, escaped)
	req.Profile = want.profile
	if err != nil {
		return c, "", err
	}
	p, err := h.open(r.Context(), want.profile)
	if err != nil {
		return c, "", err
	}
	if err := h.confirm(r.Context(), *req); err != nil {
		return c, "", err
	}
	if c, err = h.agent.credential(r.Context(), p, want); err != nil {
		return c, "", err
	}
	header, err = c.Authorization()
	return c, header, err
}

// serveStatus describes the stored credential. It issues no token.
func (h handler) serveStatus(w http.ResponseWriter, r *http.Request, escaped string) {
	want, err := parseTokenRequest(r, escaped)
	if err != nil {
		writeError(w, err)
		return
	}
	p, err := h.open(r.Context(), want.profile)
	if err != nil {
		writeError(w, err)
		return
	}
	c, err := h.agent.stored(r.Context(), p)
	h.agent.learn(r.Context(), p, c, err)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, p.session.Status(c, want.minTTL))
}

// serveProfiles lists the profiles that this socket issues tokens for.
func (h handler) serveProfiles(w http.ResponseWriter, r *http.Request) {
	names, err := h.agent.names(r.Context())
	if err != nil {
		writeError(w, err)
		return
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !h.allows(name) })
	writeJSON(w, http.StatusOK, agent.ProfileList{Profiles: names})
}

// health returns the state of each profile, through a socket without limits.
func (h handler) health() agent.Health {
	health := agent.Health{Status: healthOK}
	a := h.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	if h.useless() {
		health.Status = healthDegraded
	}
	if h.socket.Allow != nil {
		return health
	}
	health.PID = os.Getpid()
	health.Profiles = make(map[string]agent.Status, len(a.profiles))
	for name, p := range a.profiles {
		s := agent.Status{State: p.state(), Expiry: p.last.Token.Expiry, Next: p.at.UTC()}
		if p.err != nil {
			s.Error = oauth.Sanitize(p.err.Error(), maxMessage)
		}
		health.Profiles[name] = s
	}
	return health
}

// useless reports whether all profiles of this socket have errors, and it has
// at least one.
func (h handler) useless() bool {
	found := false
	for name, p := range h.agent.profiles {
		if !h.allows(name) {
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
	stateUnread = "unread" // not yet read
	stateFresh  = "fresh"
	stateLogin  = "login required"
	stateFaulty = "faulty" // the last refresh or read failed; the agent retries
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
	if errors.Is(err, errRateLimited) {
		status = http.StatusTooManyRequests
	}
	writeJSON(w, status, e)
}

// writeJSON writes a JSON response. It ignores errors, because the client may
// have disconnected.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
