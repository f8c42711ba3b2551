package sshbrowser

import (
	"context"
	"crypto/rand"
	_ "embed" // the page
	"errors"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

//go:embed page.html
var pageText string

const (
	readTimeout = 10 * time.Second
	lastPage    = time.Second // for it to leave
	maxHeader   = 16 << 10
)

// visit serves the browser for one request: the page that asks, and the redirect
// URI.
type visit struct {
	request
	from     string
	secret   string // path of the page that asks
	page     *template.Template
	server   *http.Server
	serving  sync.WaitGroup
	query    chan string
	canceled chan struct{}
	once     sync.Once // the first response or cancellation counts
}

// facts are what the page shows. Only From and the hosts vary.
type facts struct {
	From, SignIn, Server string
	Go, Cancel           string
	Title, Text          string
}

// visitFor listens on 127.0.0.1 at the port of the redirect URI.
func visitFor(r request, from string) (*visit, error) {
	page, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", r.redirect.Port()))
	if err != nil {
		return nil, errors.New("port " + r.redirect.Port() + " is in use on the laptop; try again")
	}
	v := &visit{request: r, from: from, secret: rand.Text(), page: page, query: make(chan string, 1), canceled: make(chan struct{})}
	v.server = &http.Server{
		Handler: v, ReadTimeout: readTimeout, WriteTimeout: readTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0), // it would print what strangers send
	}
	v.server.SetKeepAlivesEnabled(false)
	v.serving.Go(func() { _ = v.server.Serve(l) }) // ends with ErrServerClosed
	return v, nil
}

func (v *visit) start() string { return "http://" + v.authority() + "/" + v.secret }

func (v *visit) authority() string { return net.JoinHostPort("127.0.0.1", v.redirect.Port()) }

func (v *visit) close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastPage)
	defer cancel()
	if v.server.Shutdown(ctx) != nil {
		_ = v.server.Close() // cuts off a client that does not read
	}
	v.serving.Wait()
}

// ServeHTTP implements http.Handler. A Host that is not this listener's is refused
// (DNS rebinding), and so is a page that another site leads to.
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
		v.show(w, http.StatusOK, facts{
			Title: "Sign in for a remote host", From: v.from, SignIn: v.url.Host,
			Server: host(v.url.Query().Get("resource")), Go: v.url.String(), Cancel: "/" + v.secret + "/cancel",
		})
	case own && r.URL.Path == "/"+v.secret+"/cancel":
		v.once.Do(func() { close(v.canceled) })
		v.show(w, http.StatusOK, facts{Title: "Canceled", Text: "You can close this page."})
	case r.URL.EscapedPath() == path:
		v.receive(w, r)
	default:
		v.show(w, http.StatusNotFound, facts{Title: "Not found", Text: "Nothing is here."})
	}
}

// receive takes the authorization response.
func (v *visit) receive(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !v.answers(q) {
		v.show(w, http.StatusBadRequest, facts{Title: "Not the expected response", Text: "This response belongs to another sign-in."})
		return
	}
	first := false
	v.once.Do(func() { first = true })
	if !first {
		v.show(w, http.StatusGone, facts{Title: "Already done", Text: "This sign-in has its response already."})
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
	return u.Host
}

func (v *visit) show(w http.ResponseWriter, status int, f facts) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = v.page.Execute(w, f) // the browser may have gone
}
