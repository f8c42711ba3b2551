package sshbrowser

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	readTimeout = 10 * time.Second
	lastPage    = time.Second // for it to be sent
	maxHeader   = 16 << 10
	maxHost     = 255 // characters
)

// errPort means that the port is in use.
var errPort = errors.New("the port is in use on the laptop")

// visit holds a reserved port, and serves the browser there for one request: the
// page that asks, and the redirect URI.
type visit struct {
	request
	host      string // the requested host
	port      int
	listeners []net.Listener
	from      string
	memory    Memory       // nil: the page always asks
	secret    string       // path of the page that asks
	server    *http.Server // nil: the port is only reserved
	serving   sync.WaitGroup
	query     chan string
	canceled  chan struct{}
	once      sync.Once // the first response or cancellation counts
}

// reserve listens on the redirect URI. For "localhost" that is every loopback
// address: a browser may use either, and another program must not listen on one.
func reserve(p place) (*visit, error) {
	addresses := map[string][]string{"127.0.0.1": {"127.0.0.1"}, "::1": {"::1"}, "localhost": {"127.0.0.1", "::1"}}[p.Host]
	if addresses == nil || p.Port != 0 && p.Port < firstPort || p.Port > 65535 {
		return nil, errors.New("the redirect URI is not on a loopback address with a port from 1024")
	}
	v := &visit{host: p.Host, port: p.Port, query: make(chan string, 1), canceled: make(chan struct{})}
	for i, address := range addresses {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(v.port)))
		if err != nil && i > 0 && !available(address) {
			break // no IPv6 on this machine
		}
		if err != nil {
			v.close()
			return nil, errPort
		}
		v.listeners, v.port = append(v.listeners, l), l.Addr().(*net.TCPAddr).Port
	}
	return v, nil
}

func available(address string) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return false
	}
	_ = l.Close() // nothing was served
	return true
}

// serve starts serving browsers.
func (v *visit) serve(r request, from string, memory Memory) {
	v.request, v.from, v.memory, v.secret = r, from, memory, rand.Text()
	v.server = &http.Server{
		Handler: v, ReadTimeout: readTimeout, WriteTimeout: readTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0), // it would print what other programs send
	}
	v.server.SetKeepAlivesEnabled(false)
	for _, l := range v.listeners {
		v.serving.Go(func() { _ = v.server.Serve(l) }) // ends with ErrServerClosed
	}
}

func (v *visit) start() string { return "http://" + v.authority() + "/" + v.secret }

// authority returns the host and port of this listener.
func (v *visit) authority() string {
	host := v.host
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(v.port))
}

// redirectHost is the authority of the redirect URI that was reserved.
func (v *visit) redirectHost() string { return net.JoinHostPort(v.host, strconv.Itoa(v.port)) }

func (v *visit) close() {
	for _, l := range v.listeners {
		_ = l.Close() // an unused port
	}
	if v.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastPage)
	defer cancel()
	if v.server.Shutdown(ctx) != nil {
		_ = v.server.Close() // closes connections of clients that do not read
	}
	v.serving.Wait()
}

// ServeHTTP implements http.Handler. It rejects a Host that is not this listener's
// (DNS rebinding), and cross-site requests to the page.
func (v *visit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site := r.Header.Get("Sec-Fetch-Site")
	own := site == "" || site == "none" || site == "same-origin"
	path := v.redirect.EscapedPath()
	if path == "" {
		path = "/"
	}
	switch {
	case r.Method != http.MethodGet || r.Host != v.authority() && r.Host != v.redirect.Host:
		v.show(w, http.StatusForbidden, facts{Title: "Not allowed", Text: "This address does not accept this request."})
	case own && r.URL.Path == "/"+v.secret:
		v.ask(w)
	case own && r.URL.Path == v.always() && v.always() != "":
		if err := v.memory.Keep(v.url.Host); err != nil {
			v.show(w, http.StatusInternalServerError, facts{Title: "Not remembered", Text: "The choice could not be saved. Go back and continue without it."})
			return
		}
		v.lead(w)
	case own && r.URL.Path == "/"+v.secret+"/cancel":
		v.once.Do(func() { close(v.canceled) })
		v.show(w, http.StatusOK, facts{Title: "Canceled", Text: "You can close this page."})
	case r.URL.EscapedPath() == path:
		v.receive(w, r)
	default:
		v.show(w, http.StatusNotFound, facts{Title: "Not found", Text: "Page not found."})
	}
}

// always is the path that also stores the user's choice; "": choices cannot be
// stored.
func (v *visit) always() string {
	if v.memory == nil {
		return ""
	}
	return "/" + v.secret + "/always"
}

// ask shows the page that names the hosts, unless the user chose not to be asked.
func (v *visit) ask(w http.ResponseWriter) {
	if v.memory != nil && v.memory.Knows(v.url.Host) {
		v.lead(w)
		return
	}
	v.show(w, http.StatusOK, facts{
		Title: "Sign in for a remote host", From: v.from, SignIn: v.url.Host, Server: host(v.url.Query().Get("resource")),
		Go: v.url.String(), Always: v.always(), Cancel: "/" + v.secret + "/cancel",
	})
}

// lead redirects the browser to the authorization server.
func (v *visit) lead(w http.ResponseWriter) {
	secure(w.Header())
	w.Header().Set("Location", v.url.String())
	w.WriteHeader(http.StatusFound)
}

// receive receives the authorization response.
func (v *visit) receive(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !v.answers(q) {
		v.show(w, http.StatusBadRequest, facts{Title: "Not the expected response", Text: "This response belongs to another sign-in."})
		return
	}
	first := false
	v.once.Do(func() { first = true })
	if !first {
		v.show(w, http.StatusGone, facts{Title: "Already done", Text: "This sign-in already has its response."})
		return
	}
	v.show(w, http.StatusOK, facts{Title: "Return to your terminal", Text: "It shows whether the sign-in worked. You can close this page."})
	v.query <- r.URL.RawQuery // after the page: the listener then closes
}

// host returns the host of a URL that the remote host claims; "": it names none.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return oauth.Sanitize(u.Host, maxHost)
}

func (v *visit) show(w http.ResponseWriter, status int, f facts) {
	secure(w.Header())
	w.WriteHeader(status)
	_, _ = io.WriteString(w, string(f.html())) // the browser may have gone
}

func secure(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
