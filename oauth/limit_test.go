package oauth_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

// bomb responds with size zeros, compressed a thousandfold.
func bomb(size int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.CopyN(z, zeros{}, size)
		z.Close()
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestLongResponses: the limit counts decompressed bytes, not bytes on the network,
// and applies to every caller.
func TestLongResponses(t *testing.T) {
	t.Parallel()
	event := "data: " + strings.Repeat("x", 100) + "\r\n\r\n"
	for _, tt := range []struct {
		name    string
		limit   int64 // 0: no separate limit
		handler http.HandlerFunc
		ok      bool
	}{
		{"gzip bomb", 0, bomb(1<<20 + 1), false},
		{"as long as allowed", 0, bomb(1 << 20), true},
		{"gzip bomb of a message", 1 << 21, bomb(1<<21 + 1), false},
		{"as long as the separate limit", 1 << 21, bomb(1 << 21), true},
		{"endless, without a length", 1000, repeating("text/plain", "xxxx", 300), false},
		{"many short events", 1000, repeating("text/event-stream; charset=utf-8", event, 100), true},
		{"the same with lone carriage returns", 1000, repeating("text/event-stream", strings.ReplaceAll(event, "\r\n", "\r"), 100), true},
		{"the same with malformed parameters", 1000, repeating("Text/Event-Stream; charset=utf-8; charset=utf-8", event, 100), true},
		{"an event of many lines that end with CRLF", 1000, repeating("text/event-stream", strings.TrimSuffix(event, "\r\n"), 100), false},
		{"the same where no stream is expected", 0, repeating("text/event-stream", event, 20_000), false},
		{"a long event", 1000, repeating("text/event-stream", strings.TrimRight(event, "\r\n"), 100), false},
		{"an event of many lines", 1000, repeating("text/event-stream", strings.TrimRight(event, "\r\n")+"\n", 100), false},
		{"an endless comment", 1000, repeating("text/event-stream", ": ping\n", 1000), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.handler)
			defer srv.Close()
			c := oauth.Guard{Server: srv.URL}.Client()
			ctx := t.Context()
			if tt.limit != 0 {
				ctx = oauth.WithMessageLimit(oauth.WithMessageLimit(ctx, tt.limit), 1<<40) // the first one counts
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			n, err := io.Copy(io.Discard, resp.Body)
			if tt.ok {
				checkErr(t, err, nil)
				return
			}
			e, long := errors.AsType[*oauth.TooLongError](err)
			if !long || e.URL != srv.URL || !errors.Is(err, oauth.ErrAnswer) || oauth.Temporary(err) {
				t.Errorf("error = %v after %d bytes, want a final *TooLongError", err, n)
			}
			if again, err := resp.Body.Read(make([]byte, 1)); again != 0 || err == nil {
				t.Error("reading continued after the error")
			}
		})
	}
}

// repeating responds with a text, many times.
func repeating(kind, text string, times int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for range times {
			fmt.Fprint(w, text)
		}
	}
}

// TestRedirectsOfAnotherClient: the rules for redirects also apply to a client that
// another package, such as the MCP SDK, creates around the same transport.
func TestRedirectsOfAnotherClient(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	defer srv.Close()
	otherServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization")+r.Header.Get("Mcp-Session-Id")+r.Header.Get("Cookie")+r.Header.Get("Referer") != "" {
			t.Errorf("another origin got %q", r.Header)
		}
		if body, _ := io.ReadAll(r.Body); len(body) > 0 {
			t.Errorf("another origin got %q", body)
		}
	}))
	defer otherServer.Close()
	mux.Handle("/away", http.RedirectHandler(otherServer.URL, http.StatusTemporaryRedirect))
	mux.Handle("/see", http.RedirectHandler(otherServer.URL, http.StatusSeeOther))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/metadata", http.RedirectHandler("http://169.254.169.254/latest", http.StatusTemporaryRedirect))
	for _, tt := range []struct {
		method, path string
		rejected     bool
	}{
		{http.MethodPost, "/away", true},
		{http.MethodPost, "/see", true},
		{http.MethodDelete, "/away", true},
		{http.MethodPost, "/metadata", true},
		{http.MethodGet, "/away", false},
		{http.MethodGet, "/loop", true},
	} {
		c := &http.Client{Transport: oauth.Guard{Server: srv.URL}.Client().Transport}
		r, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL+tt.path, strings.NewReader("secret"))
		if err != nil {
			t.Fatal(err)
		}
		if tt.method == http.MethodGet {
			r.Body, r.GetBody, r.ContentLength = nil, nil, 0
		}
		r.Header = http.Header{"Authorization": {"Bearer secret"}, "Mcp-Session-Id": {"secret"}, "Cookie": {"secret"}}
		resp, err := c.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		if _, rejected := errors.AsType[*oauth.RedirectError](err); rejected != tt.rejected || !rejected && err != nil {
			t.Errorf("%s %s: error = %v, want a *RedirectError: %t", tt.method, tt.path, err, tt.rejected)
		}
	}
}
