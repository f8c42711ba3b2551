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
	pageTimeout   = 2 * time.Minute // the page waits for the token endpoint
	maxHeader     = 64 << 10        // a redirect with a long code
	shutdownGrace = time.Second     // for the last page to leave
)

// listener receives the browser at a redirect URL.
type listener struct {
	target
	sockets []net.Listener // none: the URL leads elsewhere
	release func() error   // frees the port on another machine; nil: none is bound there
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

// listening returns the port, or 0 if nobody listens.
func (l *listener) listening() int {
	if len(l.sockets) == 0 {
		return 0
	}
	return l.port
}

// short returns an address on this machine that leads to the authorization URL.
func (l *listener) short(a *attempt) string {
	if len(l.sockets) == 0 {
		return ""
	}
	return "http://" + authority(l.host, l.port) + a.startPath()
}

// serve answers browsers until stop is called, which returns once every page
// has left and every goroutine has ended.
func (l *listener) serve(a *attempt) (stop func()) {
	server := &http.Server{
		Handler:        l.handler(a),
		ReadTimeout:    readTimeout,
		WriteTimeout:   pageTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(io.Discard, "", 0), // it would print what strangers send
	}
	server.SetKeepAlivesEnabled(false)
	var serving sync.WaitGroup
	for _, socket := range l.sockets {
		// Serve ends with ErrServerClosed; any other end leaves the paste.
		serving.Go(func() { _ = server.Serve(socket) })
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // cuts off a client that does not read; nothing is lost
		}
		serving.Wait()
		if l.release != nil {
			_ = l.release() // the other machine notices a lost connection too
		}
	}
}

// handler answers the redirect and, at the start path, leads to the server.
func (l *listener) handler(a *attempt) http.Handler {
	path, _, _ := strings.Cut(l.rest, "?")
	if path == "" {
		path = "/"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		switch {
		case !l.ours(r.Host):
			pageForeign.write(w)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			pageMethod.write(w)
		case r.URL.EscapedPath() == path:
			a.serveAnswer(w, r)
		case subtle.ConstantTimeCompare([]byte(r.URL.EscapedPath()), []byte(a.startPath())) == 1:
			a.serveStart(w, r)
		default:
			pageNotFound.write(w)
		}
	})
}

// ours refuses a Host that is not this listener's: a name that somebody points
// at 127.0.0.1 (DNS rebinding).
func (l *listener) ours(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), "80"
	}
	return netcheck.IsRedirectHost(host) && port == strconv.Itoa(l.port)
}

// startPath returns the path that leads to the authorization URL. It cannot be
// guessed: with the state in that URL, another user of this machine could
// finish the login with an account of their own.
func (a *attempt) startPath() string { return "/" + a.start }

// serveStart leads a browser that was given the short address. A web page must
// not begin a login by sending its visitor here.
func (a *attempt) serveStart(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		pageForeign.write(w)
		return
	}
	w.Header().Set("Location", a.url)
	w.WriteHeader(http.StatusFound)
}

// serveAnswer takes the server's answer and shows how the login ended.
func (a *attempt) serveAnswer(w http.ResponseWriter, r *http.Request) {
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
		pageStray.write(w)
	default:
		a.wait(r.Context()).write(w)
	}
}
