// Package relay is the web server behind the relay flow. It shows the user a
// short link, sends their browser to an authorization server, receives the
// authorization response at a fixed redirect URI, and passes it on to the client
// that waits for it, on a machine without a browser.
//
// It must never know a code verifier, a client secret or a token: without the
// verifier, which stays at the client, the authorization code that passes through
// is of no use (RFC 7636). It imports nothing that could send a token request.
//
// No log line reveals who signs in where: counts, durations and outcomes only. A
// client keeps its session by a random secret, a browser by a random cookie. The
// relay keeps hashes of both.
package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// Paths of the relay's API.
const (
	CallbackPath = "/callback"
	MetadataPath = "/client.json"
)

// Config configures a relay. BaseURL, Sessions and one of Token and Public are
// required.
type Config struct {
	// BaseURL is the https address at which browsers and clients reach the relay,
	// without a path. It may be http on loopback.
	BaseURL string
	// Sessions stores the sessions.
	Sessions Sessions
	// Token is what clients must send to open a session; "" only if Public is set.
	Token string
	// Public lets anyone open a session.
	Public bool
	// AllowIssuers are the allowed hosts of authorization servers; nil means
	// any.
	AllowIssuers []string
	// TrustedProxies are the addresses whose X-Forwarded-For header counts.
	TrustedProxies []netip.Prefix
	// Limits are the limits of clients. Zero fields have defaults.
	Limits Limits
	// Log gets outcomes, without addresses, URLs or codes; nil means none.
	Log *slog.Logger
}

// Limits are the limits of clients and browsers.
type Limits struct {
	Lifetime           time.Duration // of a session; 0: 10 min
	SessionsPerAddress int           // opened in one lifetime; 0: 100
	RequestsPerMinute  int           // per address; 0: 1200
	WrongCodes         int           // and wrong client tokens, per address in one lifetime; 0: 20
}

// Relay is the web server. Make one with [New].
type Relay struct {
	cfg         Config
	base        *url.URL
	handler     http.Handler
	metrics     *metrics
	requests    *limiter
	opened      *limiter
	wrongCodes  *limiter // unknown user codes
	wrongTokens *limiter // invalid client tokens

	drainOnce sync.Once
	draining  chan struct{}
}

// New returns a relay, or what is wrong with its configuration.
func New(cfg Config) (*Relay, error) {
	base, err := baseURL(cfg.BaseURL)
	switch {
	case err != nil:
		return nil, err
	case cfg.Sessions == nil:
		return nil, errors.New("relay: no session store is configured")
	case cfg.Token == "" && !cfg.Public:
		return nil, errors.New("relay: a client token is required unless the relay is public")
	}
	for _, host := range cfg.AllowIssuers {
		if host == "" || strings.ContainsAny(host, ":/@?#* ") {
			return nil, fmt.Errorf("relay: %q is not a host name, such as mcp.notion.com", host)
		}
	}
	cfg.BaseURL = base.String()
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := cfg.Limits
	r := &Relay{
		cfg: cfg, base: base, draining: make(chan struct{}), metrics: newMetrics(),
		requests:    newLimiter(l.RequestsPerMinute, time.Minute),
		opened:      newLimiter(l.SessionsPerAddress, l.Lifetime),
		wrongCodes:  newLimiter(l.WrongCodes, l.Lifetime),
		wrongTokens: newLimiter(l.WrongCodes, l.Lifetime),
	}
	r.handler = r.routes()
	return r, nil
}

func (l Limits) withDefaults() Limits {
	if l.Lifetime == 0 {
		l.Lifetime = 10 * time.Minute
	}
	if l.SessionsPerAddress == 0 {
		l.SessionsPerAddress = 100
	}
	if l.RequestsPerMinute == 0 {
		l.RequestsPerMinute = 1200
	}
	if l.WrongCodes == 0 {
		l.WrongCodes = 20
	}
	return l
}

func baseURL(raw string) (*url.URL, error) {
	u, err := oauth.CheckURL(raw)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, errors.New("base URL: it must have no path and no query, such as https://login.example.com")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

func (r *Relay) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", r.serveHome)
	mux.HandleFunc("GET /v1/relay", r.serveInfo)
	mux.HandleFunc("POST /v1/sessions", r.serveOpen)
	mux.HandleFunc("GET /v1/sessions/{id}", r.serveAwait)
	mux.HandleFunc("DELETE /v1/sessions/{id}", r.serveEnd)
	mux.HandleFunc("GET "+MetadataPath, r.serveMetadata)
	mux.HandleFunc("GET /s", r.serveTyped)
	mux.HandleFunc("GET /s/{code}", r.serveStart)
	mux.HandleFunc("POST /s/{code}", r.serveGo)
	mux.HandleFunc("GET "+CallbackPath, r.serveCallback)
	mux.HandleFunc("POST "+CallbackPath, r.serveCallbackCode)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { pageNotFound.write(w) })
	sameOrigin := http.NewCrossOriginProtection()
	if err := sameOrigin.AddTrustedOrigin(r.base.String()); err != nil {
		panic(err) // the base URL was checked
	}
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { pageForeign.write(w) }))
	limited := r.limit(sameOrigin.Handler(mux))
	visited := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if fetchedByOther(req) {
			pageForeign.write(w)
			return
		}
		limited.ServeHTTP(w, req)
	})

	outer := http.NewServeMux() // health probes are frequent, from one address, and not limited
	outer.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	outer.HandleFunc("GET /readyz", r.serveReady)
	outer.Handle("/", visited)
	return outer
}

// fetchedByOther reports a request that another site's page has a browser send without
// going there, such as an image. It is not the user's navigation, and must not count
// as one: a page could use up what its visitors' address may ask for.
func fetchedByOther(req *http.Request) bool {
	site, dest := req.Header.Get("Sec-Fetch-Site"), req.Header.Get("Sec-Fetch-Dest")
	return (site == "cross-site" || site == "same-site") && dest != "document"
}

// ServeHTTP implements http.Handler.
func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.secure(w.Header())
	r.handler.ServeHTTP(w, req)
}

// Metrics returns a handler that writes the relay's metrics in the Prometheus
// text format. Serve it on a listener that only operators can reach.
func (r *Relay) Metrics() http.Handler { return r.metrics }

// Drain ends every long poll, so that clients retry at another replica, or at
// this one after a restart. Call it before shutting the server down.
func (r *Relay) Drain() { r.drainOnce.Do(func() { close(r.draining) }) }

func (r *Relay) isDraining() bool {
	select {
	case <-r.draining:
		return true
	default:
		return false
	}
}

func (r *Relay) serveReady(w http.ResponseWriter, req *http.Request) {
	if r.isDraining() || r.cfg.Sessions.Ping(req.Context()) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// limit is a rate-limiting middleware per address.
func (r *Relay) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.requests.allow(r.address(req)) {
			r.tooMany(w, req)
			return
		}
		if req.Method != http.MethodGet {
			req.Body = http.MaxBytesReader(w, req.Body, maxBody)
		}
		next.ServeHTTP(w, req)
	})
}

func (r *Relay) tooMany(w http.ResponseWriter, req *http.Request) {
	r.metrics.limited.Inc()
	w.Header().Set("Retry-After", "60")
	if strings.HasPrefix(req.URL.Path, "/v1/") {
		writeError(w, http.StatusTooManyRequests, "too_many_requests")
		return
	}
	pageTooMany.write(w)
}

func (r *Relay) redirectURI() string { return r.cfg.BaseURL + CallbackPath }
