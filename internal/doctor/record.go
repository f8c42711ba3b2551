package doctor

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// maxBody limits the recorded part of a response body, in bytes.
const maxBody = 1 << 20

// exchange is a recorded request with its response or error.
type exchange struct {
	method, url string
	resp        *http.Response // nil: no response
	body        *bytes.Buffer  // the part that was read
	err         error
}

// recorder is a RoundTripper that records requests and responses.
type recorder struct {
	base http.RoundTripper

	mu   sync.Mutex
	seen []*exchange
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{method: req.Method, url: req.URL.String(), body: new(bytes.Buffer)}
	x.resp, x.err = r.base.RoundTrip(req)
	if x.resp != nil {
		x.resp.Body = &kept{ReadCloser: x.resp.Body, to: x.body}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, x)
	return x.resp, x.err
}

// of returns the exchanges whose URL is wanted, in order.
func (r *recorder) of(wanted func(url string) bool) (found []*exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.seen {
		if wanted(x.url) {
			found = append(found, x)
		}
	}
	return found
}

// kept copies what is read from the body.
type kept struct {
	io.ReadCloser
	to *bytes.Buffer
}

func (k *kept) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	k.to.Write(p[:min(n, maxBody-k.to.Len())])
	return n, err
}
