// Package demoserver is an MCP server and the authorization server that
// guards it, in one http.Handler, with nothing kept on disk.
//
// It is small but strict: it demands what the MCP specification and the RFCs
// demand of a client, so that a client which works here has done its part.
//
//   - RFC 9728 and RFC 8414 metadata, and the 401 challenge that leads to them
//   - RFC 7591 registration and RFC 7592 management of it
//   - RFC 8628 device authorization, with a page where the code is typed
//   - RFC 6749 authorization code with RFC 7636 PKCE (S256) and RFC 9207 iss
//   - refresh tokens that rotate; the reuse of an old one ends the whole family
//   - RFC 7009 revocation and RFC 8707 resource indicators
//
// # Security
//
// It is for demonstrations and tests on a loopback address: anyone who can open
// its pages can approve. It refuses requests made to another host name, so
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
)

const (
	defaultAccessTTL = 10 * time.Minute
	defaultCodeTTL   = 10 * time.Minute
	defaultInterval  = 2 * time.Second

	// maxBody is far above what any form or registration here needs.
	maxBody = 64 << 10
)

// Config says how long things live. Only URL is required.
type Config struct {
	URL         string        // where clients reach the server: scheme, host and port
	AccessTTL   time.Duration // life of an access token; 0: 10 minutes
	CodeTTL     time.Duration // life of a device or authorization code; 0: 10 minutes
	Interval    time.Duration // wait between two polls of a device; 0: 2 seconds
	AutoApprove time.Duration // approve without a person: a device this long after it asked, a browser at once; 0: never
	Log         *slog.Logger  // one line per request, never a secret; nil: silent
}

// Server is the two servers in one. Make it with [New].
type Server struct {
	cfg     Config
	host    string // the only Host header that is served
	handler http.Handler

	mu      sync.Mutex
	clients map[string]*client        // by client_id
	devices map[string]*device        // by device_code
	pending map[string]*authorization // by the secret of its consent form
	codes   map[string]*authorization // by authorization code
	access  map[string]accessToken    // by access token
	refresh map[string]*grant         // by every refresh token ever issued
	misses  int                       // wrong user codes since missesAt
	since   time.Time                 // start of the minute that misses counts
}

// New returns a server that is reached at cfg.URL.
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
	cfg.Interval = cmp.Or(cfg.Interval, defaultInterval)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	s := &Server{
		cfg:     cfg,
		host:    u.Host,
		clients: map[string]*client{},
		devices: map[string]*device{},
		pending: map[string]*authorization{},
		codes:   map[string]*authorization{},
		access:  map[string]accessToken{},
		refresh: map[string]*grant{},
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
	// A browser that was lured here under another name must get nothing.
	if r.Host != s.host {
		http.Error(rec, "this server is reached as "+s.host, http.StatusMisdirectedRequest)
		return
	}
	s.handler.ServeHTTP(rec, r)
}

func (s *Server) routes() http.Handler {
	// The pages change state for anyone who can load them, so a form that another
	// site submits is refused.
	forms := http.NewCrossOriginProtection().Handler

	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-protected-resource", s.serveResourceMetadata)
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/mcp", s.serveResourceMetadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.serveMetadata)
	mux.HandleFunc("POST /register", s.serveRegister)
	mux.HandleFunc("/register/{id}", s.serveRegistration)
	mux.HandleFunc("POST /device_authorization", s.serveDeviceAuthorization)
	mux.HandleFunc("POST /token", s.serveToken)
	mux.HandleFunc("POST /revoke", s.serveRevoke)
	mux.HandleFunc("GET /authorize", s.serveAuthorize)
	mux.Handle("POST /authorize", forms(http.HandlerFunc(s.serveConsent)))
	mux.HandleFunc("GET /device", s.serveDevicePage)
	mux.Handle("POST /device", forms(http.HandlerFunc(s.serveDeviceForm)))
	mux.HandleFunc("GET /style.css", serveStyle)
	mux.HandleFunc("GET /{$}", s.serveHome)
	limited := http.MaxBytesHandler(mux, maxBody)

	root := http.NewServeMux()
	root.Handle("/mcp", s.mcpHandler())
	root.Handle("/", limited)
	return root
}

// recorder remembers the status for the log.
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
