package oauthtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{}
		c, r := login(t, srv.Client(), mcpURL)
		token := deviceToken(t, srv, c, r)
		refresh := func(token string) (oauth.Token, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			return c.Refresh(ctx, token, r.URL, nil)
		}
		srv.Fault(oauthtest.Token, oauthtest.Fault{Times: 2, Status: 503, Header: http.Header{"retry-after": {"3"}}, Body: "<html>"})
		srv.Fault(oauthtest.Token, oauthtest.Fault{Drop: true, Delay: time.Second})
		srv.Fault(oauthtest.Token, oauthtest.Fault{Hang: true})
		srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: time.Minute})
		for i, want := range []time.Duration{0, 0, time.Second, 30 * time.Second, 30 * time.Second} {
			start := time.Now()
			_, err := refresh(token.Refresh)
			if took := time.Since(start); !oauth.Temporary(err) || took != want {
				t.Errorf("%d: error %v after %v, want a temporary one after %v", i, err, took, want)
			}
		}
		srv.Fault(oauthtest.Token, oauthtest.Fault{After: true, Drop: true})
		if _, err := refresh(token.Refresh); !oauth.Temporary(err) {
			t.Errorf("error = %v, want a lost response", err)
		}
		_, err := refresh(token.Refresh) // the token was rotated: this loss cannot be prevented
		wantCode(t, err, oauth.CodeInvalidGrant)
		srv.Fault(oauthtest.MCP, oauthtest.Fault{Times: -1, Status: 418})
		for range 3 {
			wantStatus(t, call(t, c.HTTP, r.URL, ""), 418)
		}
		if n := srv.Count(oauthtest.MCP); n != 4 {
			t.Errorf("Count = %d, want 4", n)
		}
	})
}

// TestFaultsOverTheNetwork: with a listener, a dropped and a hanging response look like
// real ones.
func TestFaultsOverTheNetwork(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{}
	web := httptest.NewServer(srv)
	defer web.Close()
	srv.Fault(oauthtest.MCP, oauthtest.Fault{Drop: true})
	srv.Fault(oauthtest.MCP, oauthtest.Fault{Hang: true})
	hc := oauth.Guard{Server: web.URL, Timeout: 200 * time.Millisecond}.Client()
	for range 2 {
		if _, err := oauth.Discover(t.Context(), hc, web.URL+"/mcp"); !oauth.Temporary(err) {
			t.Errorf("error = %v, want a temporary one", err)
		}
	}
}
