package doctor

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// maxBody caps what is kept of an answer's body.
const maxBody = 1 << 20

// exchange is one request that was seen and what came of it.
type exchange struct {
	method, url string
	resp        *http.Response // nil: none came
	body        *bytes.Buffer  // as much as was read of it
	err         error
}

// recorder passes requests on and keeps what was answered.
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

// kept copies what its reader reads.
type kept struct {
	io.ReadCloser
	to *bytes.Buffer
}

func (k *kept) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	k.to.Write(p[:min(n, maxBody-k.to.Len())])
	return n, err
}
