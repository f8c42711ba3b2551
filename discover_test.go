package mcplogin_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

// slowIssuers is an MCP server that lists authorization servers, each with a delay;
// 0 means that it never responds.
type slowIssuers struct {
	times          []time.Duration
	open           atomic.Int32
	mostConcurrent atomic.Int32
}

func (s *slowIssuers) RoundTrip(r *http.Request) (*http.Response, error) {
	reply := func(status int, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"Content-Type": {"application/json"}},
		}, nil
	}
	if r.URL.Host == "mcp.test" {
		if r.Method == http.MethodPost {
			return reply(http.StatusUnauthorized, "")
		}
		var issuers []string
		for i := range s.times {
			issuers = append(issuers, fmt.Sprintf("%q", issuer(i)))
		}
		return reply(http.StatusOK, `{"resource":"https://mcp.test/mcp","authorization_servers":[`+strings.Join(issuers, ",")+`]}`)
	}
	s.mostConcurrent.Store(max(s.mostConcurrent.Load(), s.open.Add(1)))
	defer s.open.Add(-1)
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Host, "as"), ".")
	i, err := strconv.Atoi(name)
	if err != nil {
		return nil, err
	}
	var slow <-chan time.Time
	if s.times[i] > 0 {
		slow = time.After(s.times[i])
	}
	select {
	case <-slow:
		return reply(http.StatusOK, fmt.Sprintf(`{"issuer":%q,"token_endpoint":%q}`, issuer(i), issuer(i)+"/token"))
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func issuer(i int) string { return fmt.Sprintf("https://as%d.test", i) }

// TestSlowIssuersAreBounded: sixteen authorization servers that never respond do
// not take sixteen times the request timeout, for each of their documents.
func TestSlowIssuersAreBounded(t *testing.T) {
	const timeout = 2 * time.Second
	for _, tt := range []struct {
		name  string
		times []time.Duration
		limit time.Duration // of the whole discovery
		found []int
	}{
		{"no response", make([]time.Duration, 16), 3 * timeout, nil},
		{"the last responds immediately", append(make([]time.Duration, 7), time.Millisecond), 2 * timeout, []int{7}},
		{"in the listed order, whichever responds first", []time.Duration{time.Second, time.Millisecond, 0, 500 * time.Millisecond}, timeout, []int{0, 1, 3}},
		{"all slow, but within the limit", []time.Duration{time.Second, time.Second, time.Second, time.Second}, time.Second, []int{0, 1, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slowIssuers{times: tt.times}
				start := time.Now()
				d, err := mcplogin.Discover(t.Context(), &http.Client{Transport: s, Timeout: timeout}, server)
				if took := time.Since(start); took > tt.limit {
					t.Errorf("discovery took %s, want at most %s", took, tt.limit)
				}
				var found []string
				for _, srv := range d.Servers {
					found = append(found, srv.Issuer)
				}
				var want []string
				for _, i := range tt.found {
					want = append(want, issuer(i))
				}
				if fmt.Sprint(found) != fmt.Sprint(want) || len(d.Errors) != len(tt.times)-len(want) || (err == nil) != (want != nil) {
					t.Errorf("found %v with %d errors and %v, want %v", found, len(d.Errors), err, want)
				}
				if err != nil && !oauth.Temporary(err) {
					t.Errorf("error %v is not temporary", err)
				}
				if s.mostConcurrent.Load() > 4 {
					t.Errorf("%d authorization servers were queried at once", s.mostConcurrent.Load())
				}
			})
		})
	}
}

// TestDiscoverEndsWithoutATimeout: a server that never responds ends a discovery
// without a timeout too.
func TestDiscoverEndsWithoutATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := mcplogin.Discover(t.Context(), &http.Client{Transport: &slowIssuers{times: make([]time.Duration, 1)}}, server)
		if took := time.Since(start); err == nil || took > 90*time.Second {
			t.Errorf("Discover() = %v after %s", err, took)
		}
		if _, err := mcplogin.Discover(t.Context(), nil, server); err == nil || errors.Is(err, oauth.ErrNoMetadata) {
			t.Errorf("without a client: %v", err)
		}
	})
}
