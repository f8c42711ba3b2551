package agent

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
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	maxHeader   = 16 << 10
	headerTime  = 10 * time.Second
	idleTime    = time.Minute
	profilePath = "/v1/profiles/"
	headersPath = "/headers"
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
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) }, // what has begun may end
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
	escaped, isProfile := strings.CutPrefix(path, profilePath)
	escaped, isHeaders := strings.CutSuffix(escaped, headersPath)
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	case isProfile && isHeaders:
		d.serveHeaders(w, r, escaped)
	case path == "/v1/health":
		writeJSON(w, http.StatusOK, d.health())
	case path == "/metrics" && d.socket.Allow == nil:
		d.agent.serveMetrics(w)
	default:
		http.NotFound(w, r)
	}
}

func (d door) serveHeaders(w http.ResponseWriter, r *http.Request, escaped string) {
	a := d.agent
	a.metrics.running.Add(1)
	defer a.metrics.running.Add(-1)
	peer, _ := r.Context().Value(peerKey{}).(Peer)
	req := Request{Time: time.Now().UTC(), Socket: d.socket.name(), Peer: peer}
	c, header, err := d.handOut(r, escaped, &req)
	if err == nil {
		req.Outcome, req.Expiry, req.Server = handedOut, c.Token.Expiry, c.Server
		err = a.record(req)
	} else {
		e := errorFor(err)
		req.Outcome, req.Reason = string(e.Code), e.Message
		err = errors.Join(err, a.record(req))
	}
	a.metrics.request(req.Outcome)
	if err != nil {
		e := errorFor(err)
		a.log.Warn("nothing handed out", "profile", req.Profile, "socket", req.Socket, "pid", peer.PID, "exe", peer.Exe, "error", err)
		writeJSON(w, statuses[e.Code], e)
		return
	}
	a.log.Info("handed out", "profile", req.Profile, "socket", req.Socket, "pid", peer.PID, "exe", peer.Exe)
	writeJSON(w, http.StatusOK, answer{
		Profile: c.Profile, Server: c.Server, Headers: map[string]string{"Authorization": header}, Expiry: c.Token.Expiry,
	})
}

// handOut decides on a request, which it completes, and gets what it asks for.
func (d door) handOut(r *http.Request, escaped string, req *Request) (c mcplogin.Credential, header string, err error) {
	name, err := url.PathUnescape(escaped)
	if err == nil {
		err = secrets.CheckName(name)
	}
	if err != nil {
		return c, "", fmt.Errorf("%w: %q", secrets.ErrName, oauth.Sanitize(escaped, 100))
	}
	req.Profile = name
	minTTL, err := time.ParseDuration(cmp.Or(r.URL.Query().Get("min_ttl"), "0s"))
	if err != nil {
		return c, "", fmt.Errorf("%w: min_ttl is no duration", secrets.ErrName)
	}
	if d.socket.Allow != nil && !slices.Contains(d.socket.Allow, name) {
		return c, "", fmt.Errorf("%w: this socket does not hand out %q", ErrDenied, name)
	}
	p, err := d.agent.find(r.Context(), name)
	if err != nil {
		return c, "", err
	}
	if p == nil {
		return c, "", &mcplogin.LoginRequiredError{Profile: name, Reason: "the agent keeps no credential of that name"}
	}
	if confirm := d.agent.cfg.Confirm; confirm != nil {
		if err := confirm(r.Context(), *req); err != nil {
			return c, "", fmt.Errorf("%w: %w", ErrDenied, err)
		}
	}
	if c, err = d.agent.credential(r.Context(), p, minTTL); err != nil {
		return c, "", err
	}
	header, err = c.Authorization()
	return c, header, err
}

// health tells the state of each profile, through a socket without limits.
func (d door) health() Health {
	h := Health{Status: "ok"}
	if d.socket.Allow != nil {
		return h
	}
	a := d.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	h.Profiles = make(map[string]Status, len(a.profiles))
	for name, p := range a.profiles {
		s := Status{State: p.state(), Expiry: p.last.Token.Expiry, Next: p.at.UTC()}
		if p.err != nil {
			s.Error = oauth.Sanitize(p.err.Error(), maxMessage)
		}
		h.Profiles[name] = s
	}
	return h
}

// The states of a profile.
const (
	stateUnread = "unread" // not yet looked at
	stateFresh  = "fresh"
	stateLogin  = "login required"
	stateFaulty = "faulty" // the last refresh or read failed; it is tried again
)

func (p *profile) state() string {
	switch {
	case errors.Is(p.err, mcplogin.ErrLoginRequired):
		return stateLogin
	case p.err != nil:
		return stateFaulty
	case p.last.Profile == "":
		return stateUnread
	}
	return stateFresh
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
