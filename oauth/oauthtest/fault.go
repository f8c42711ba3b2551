package oauthtest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"time"
)

// Fault is an injected fault for one or more requests.
type Fault struct {
	Times  int           // number of requests; 0: one; -1: all
	Delay  time.Duration // delay before the request is handled
	Hang   bool          // no response until the client gives up
	Drop   bool          // the connection is closed without a response
	After  bool          // the request takes effect first, then its response is lost or replaced
	Status int           // sent with Header and Body; 0: the server's own response
	Header http.Header
	Body   string
}

// Fault adds a fault to an endpoint. Several faults apply in order.
func (s *Server) Fault(e Endpoint, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(&s.faults, e, append(s.faults[e], f))
}

// serve handles a request with the fault.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, handle http.HandlerFunc) {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	if f.After {
		handle(httptest.NewRecorder(), r)
	}
	if f.Hang {
		<-r.Context().Done()
	}
	switch {
	case f.Hang, f.Drop:
		panic(http.ErrAbortHandler) // net/http closes the connection; RoundTrip returns an error
	case f.Status != 0:
		for k, v := range f.Header {
			w.Header()[http.CanonicalHeaderKey(k)] = v
		}
		w.WriteHeader(f.Status)
		io.WriteString(w, f.Body)
	default:
		handle(w, r)
	}
}

// RoundTrip implements http.RoundTripper. It handles requests in memory.
func (s *Server) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	body := []byte(nil)
	if r.Body != nil {
		defer r.Body.Close()
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			resp, err = nil, broken(r)
		} else if v != nil {
			panic(v)
		}
	}()
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, in)
	resp = w.Result()
	resp.Request = r
	return resp, nil
}

// broken returns the error that a client gets from a closed connection.
func broken(r *http.Request) error {
	if err := r.Context().Err(); err != nil {
		return err
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}
