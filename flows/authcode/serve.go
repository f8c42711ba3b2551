package authcode

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

const (
	readTimeout   = 10 * time.Second
	pageTimeout   = 2 * time.Minute // the page waits for the token response
	maxHeader     = 64 << 10        // in bytes; enough for a redirect with a long code
	shutdownGrace = time.Second     // for the last page to be sent
)

// listener listens on a redirect URL.
type listener struct {
	target
	sockets []net.Listener // empty: the URL is on another machine
	release func() error   // releases the port on another machine; nil: none
}

func (l *listener) close() error {
	var errs []error
	for _, s := range l.sockets {
		errs = append(errs, s.Close())
	}
	if l.release != nil {
		errs = append(errs, l.release())
	}
	return errors.Join(errs...)
}

// listeningPort returns the port, or 0 without a listener.
func (l *listener) listeningPort() int {
	if len(l.sockets) == 0 {
		return 0
	}
	return l.port
}

// short returns a URL on this machine that redirects to the authorization URL.
func (l *listener) short(a *attempt) string {
	if len(l.sockets) == 0 {
		return ""
	}
	return "http://" + authority(l.host, l.port) + a.startPath()
}

// serve handles requests until stop is called. Stop returns when the last page
// was sent and all goroutines have ended.
func (l *listener) serve(a *attempt) (stop func()) {
	server := &http.Server{
		Handler:        l.handler(a),
		ReadTimeout:    readTimeout,
		WriteTimeout:   pageTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(io.Discard, "", 0), // it would print what other programs send
	}
	server.SetKeepAlivesEnabled(false)
	var serving sync.WaitGroup
	for _, socket := range l.sockets {
		// Serve returns ErrServerClosed; after any other error, pasting still
		// works.
		serving.Go(func() { _ = server.Serve(socket) })
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // closes connections of clients that do not read
		}
		serving.Wait()
		if l.release != nil {
			_ = l.release() // best effort: the other machine also detects a lost connection
		}
	}
}

// handler handles the redirect and, at the start path, redirects to the
// authorization URL.
func (l *listener) handler(a *attempt) http.Handler {
	path, _, _ := strings.Cut(l.rest, "?")
	if path == "" {
		path = "/"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header())
		switch {
		case !l.ownHost(r.Host):
			pageForeign.write(w)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			pageMethod.write(w)
		case r.URL.EscapedPath() == path:
			a.serveRedirect(w, r)
		case subtle.ConstantTimeCompare([]byte(r.URL.EscapedPath()), []byte(a.startPath())) == 1:
			a.serveStart(w, r)
		default:
			pageNotFound.write(w)
		}
	})
}

// ownHost reports whether the Host header is this listener's. Others may be names
// that resolve to 127.0.0.1 (DNS rebinding).
func (l *listener) ownHost(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), "80"
	}
	return netcheck.IsRedirectHost(host) && port == strconv.Itoa(l.port)
}

// startPath returns the path that redirects to the authorization URL. It is
// random because with the state in that URL, another user of this machine could
// complete the login with their own account.
func (a *attempt) startPath() string { return "/" + a.start }

// serveStart redirects to the authorization URL. It rejects cross-site
// requests, so that a web page cannot start a login.
func (a *attempt) serveStart(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		pageForeign.write(w)
		return
	}
	w.Header().Set("Location", a.url)
	w.WriteHeader(http.StatusFound)
}

// serveRedirect accepts the authorization response and shows the outcome of the
// login.
func (a *attempt) serveRedirect(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = errQuery
	} else {
		err = a.accept(q)
	}
	switch {
	case errors.Is(err, errUsed):
		pageUsed.write(w)
	case err != nil:
		pageOther.write(w)
	default:
		a.wait(r.Context()).write(w)
	}
}
