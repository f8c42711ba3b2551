// Package demoserver is an MCP server with tools and the authorization server that
// protects it, in one http.Handler that keeps everything in memory.
//
// The authorization server is the one of package oauthtest, which the tests use too:
// it requires of a client what the MCP specification and the RFCs require. This
// package adds the pages and the tools.
//
// # Security
//
// It is for demonstrations and tests on a loopback address: anyone who can open
// its pages can approve. It rejects requests made to another host name, so
// that no web page can reach it by DNS rebinding.
//
// # Stability
//
// An example: it may change at any time.
package demoserver

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

const (
	defaultAccessTTL = 10 * time.Minute
	defaultCodeTTL   = 10 * time.Minute
	defaultInterval  = 2 * time.Second

	scopeTools = "mcp:tools"

	// maxBody is far larger than any form or registration.
	maxBody = 64 << 10
	// maxWrongCodes limits the wrong user codes per minute (RFC 8628 §5.1).
	maxWrongCodes = 20
)

// Config configures a Server. Only URL is required.
type Config struct {
	URL         string        // where clients reach the server: scheme, host and port
	AccessTTL   time.Duration // lifetime of an access token; 0: 10 minutes
	CodeTTL     time.Duration // lifetime of a device or authorization code; 0: 10 minutes
	Interval    time.Duration // wait between two polls of a device; 0: 2 seconds
	AutoApprove time.Duration // time after which a device request is approved without the user; a browser is approved at once; 0: never
	Log         *slog.Logger  // one line per request, never a secret; nil: silent
}

// Server is an authorization server and an MCP server. Use [New] to make one.
type Server struct {
	cfg     Config
	host    string // the only Host header that is served
	handler http.Handler
	auth    *oauthtest.Server

	mu         sync.Mutex
	forms      map[string]string // secret of the consent form, by user code
	wrongCodes int               // number of wrong user codes since the start of the minute
	since      time.Time         // start of that minute
}

// New returns a server for requests to cfg.URL.
func New(cfg Config) (*Server, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("URL %q is not of the form http://host:port", cfg.URL)
	}
	cfg.URL = u.Scheme + "://" + u.Host
	cfg.AccessTTL = cmp.Or(cfg.AccessTTL, defaultAccessTTL)
	cfg.CodeTTL = cmp.Or(cfg.CodeTTL, defaultCodeTTL)
	cfg.Interval = max(cmp.Or(cfg.Interval, defaultInterval), time.Second)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	s := &Server{cfg: cfg, host: u.Host, forms: map[string]string{}}
	s.auth = &oauthtest.Server{
		URL:     cfg.URL,
		Device:  oauthtest.Device{Interval: cfg.Interval, ExpiresIn: cfg.CodeTTL, ApproveIn: cfg.AutoApprove, RandomCodes: true},
		Tokens:  oauthtest.Tokens{TTL: cfg.AccessTTL, Scopes: []string{scopeTools}, Prefix: "demo_"},
		Clients: oauthtest.Clients{AnyType: true},
	}
	if cfg.AutoApprove == 0 {
		s.auth.Consent.Ask = s.askConsent
	}
	s.handler = s.routes()
	return s, nil
}

// URL returns the issuer, below which all pages are.
func (s *Server) URL() string { return s.cfg.URL }

// MCP returns the URL of the MCP server, which is also the identifier of the
// protected resource.
func (s *Server) MCP() string { return s.cfg.URL + "/mcp" }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		s.cfg.Log.Info("request", "method", r.Method, "path", r.URL.Path, "status", rec.status)
	}()
	// Reject other host names (DNS rebinding).
	if r.Host != s.host {
		http.Error(rec, "use this server as "+s.host, http.StatusMisdirectedRequest)
		return
	}
	s.handler.ServeHTTP(rec, r)
}

func (s *Server) routes() http.Handler {
	// The forms change state, so reject cross-site requests.
	forms := http.NewCrossOriginProtection().Handler

	mux := http.NewServeMux()
	mux.Handle("POST /authorize", forms(http.HandlerFunc(s.serveConsent)))
	mux.HandleFunc("GET /device", s.serveDevicePage)
	mux.Handle("POST /device", forms(http.HandlerFunc(s.serveDeviceForm)))
	mux.HandleFunc("GET /style.css", serveStyle)
	mux.HandleFunc("GET /{$}", s.serveHome)
	mux.Handle("/", s.auth)
	limited := http.MaxBytesHandler(mux, maxBody)

	root := http.NewServeMux()
	root.Handle("/mcp", s.mcpHandler())
	root.Handle("/", limited)
	return root
}

// recorder records the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach Flush, which streams need.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
