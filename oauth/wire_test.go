package oauth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// fakeTransport simulates servers in memory and records their requests.
type fakeTransport struct {
	handle   http.HandlerFunc
	requests []string // "GET https://host/path"
	last     *http.Request
	form     url.Values // of the last request
	body     string
}

func (w *fakeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	w.body = string(body)
	w.form, _ = url.ParseQuery(w.body)
	w.last = in
	w.requests = append(w.requests, r.Method+" "+r.URL.String())
	rec := httptest.NewRecorder()
	w.handle(rec, in)
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

func (w *fakeTransport) client() *http.Client { return &http.Client{Transport: w} }

// site is a wire with fixed responses: by method and URL, by URL, or else 404.
func site(pages map[string]page) *fakeTransport {
	return &fakeTransport{handle: func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.Method+" "+r.URL.String()]
		if !ok {
			p, ok = pages[r.URL.String()]
		}
		if !ok {
			p = page{status: http.StatusNotFound}
		}
		for k, v := range p.header {
			w.Header()[k] = v
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(p.code())
		fmt.Fprint(w, p.body)
	}}
}

// constant is a wire with a constant response.
func constant(status int, body string) *fakeTransport {
	return &fakeTransport{handle: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}}
}

type page struct {
	status int // 0: 200
	header http.Header
	body   string
}

func (p page) code() int {
	if p.status == 0 {
		return http.StatusOK
	}
	return p.status
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
