package authcode_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/flows/authcode"
)

// idleRelay is a relay with sessions of ten minutes that no browser visits.
type idleRelay struct{}

func (idleRelay) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusNoContent, ""
	if r.Method == http.MethodPost {
		status, body = http.StatusOK, `{"id":"a","secret":"b","user_code":"ABCD-EFGH","expires_in":600,"interval":5,
			"verification_uri":"https://relay.test/","verification_uri_complete":"https://relay.test/?c","redirect_uri":"https://relay.test/callback"}`
	}
	return &http.Response{StatusCode: status, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// TestRelayCodeEndsWithTheWait: the prompt's deadline is the end of the session or
// of the wait, whichever is first.
func TestRelayCodeEndsWithTheWait(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{90 * time.Second: 90 * time.Second, time.Hour: 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			start := time.Now()
			var shown time.Time
			f := &authcode.Relay{
				URL: "https://relay.test", HTTP: &http.Client{Transport: idleRelay{}},
				Show: func(_ context.Context, c authcode.RelayCode) { shown = c.Expiry },
			}
			_, err := f.Run(ctx, newServer().request())
			if err == nil || shown.Sub(start) != want || time.Since(start) != want {
				t.Errorf("with %v: shown until %v, ended after %v with %v", wait, shown.Sub(start), time.Since(start), err)
			}
		})
	}
}
