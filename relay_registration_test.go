package mcplogin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
)

// webRegistration replaces the server's response to the registration of a web client.
type webRegistration struct {
	http.RoundTripper
	status int
	body   string
}

func (a webRegistration) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/register" || r.GetBody == nil {
		return a.RoundTripper.RoundTrip(r)
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(text), `"web"`) {
		return a.RoundTripper.RoundTrip(r)
	}
	return &http.Response{StatusCode: a.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// TestRelayFallsBack: if the response to the registration shows that the server
// allows no https redirect URI, or if the relay is unavailable, the next flow runs,
// and the caller gets the reason.
func TestRelayFallsBack(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		why    string
	}{
		"quirk":                       {0, "", "invalid_client_metadata"},
		"redirect URI":                {400, `{"error":"invalid_redirect_uri","error_description":"only loopback"}`, "only loopback"},
		"type of client":              {400, `{"error":"invalid_client_metadata"}`, "invalid_client_metadata"},
		"another code":                {400, `{"error":"invalid_request"}`, "invalid_request"},
		"no code":                     {422, `{"detail":"redirect_uris.0: not allowed"}`, "422"},
		"a web page":                  {403, `<html>Forbidden</html>`, "403"},
		"too many clients":            {429, `{"error":"slow_down"}`, "slow_down"},
		"a crash":                     {500, `oops`, "500"},
		"response without a client":   {200, `{"ok":false,"error":"bad_redirect_uri"}`, "bad_redirect_uri"},
		"registered with another URI": {201, `{"client_id":"c","redirect_uris":["http://127.0.0.1/callback"]}`, "https://relay.test/callback"},
		"registered without a URI":    {201, `{"client_id":"c","redirect_uris":[]}`, "https://relay.test/callback"},
		"relay unavailable":           {201, `{"client_id":"c"}`, "open a session at the relay"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.Clients.NoWeb = tt.status == 0
				client := w.srv.Client()
				if tt.status != 0 {
					client = &http.Client{Transport: webRegistration{client.Transport, tt.status, tt.body}}
				}
				shown, skipped := false, error(nil)
				relay := &authcode.Relay{
					URL: "https://relay.test", HTTP: w.srv.Client(), // which is not a relay
					Show: func(context.Context, authcode.RelayCode) { shown = true },
				}
				c, err := w.open(t, func(a *sessionConfig) {
					a.HTTP = func(string) *http.Client { return client }
					a.Flows = []flows.Flow{relay, &device.Flow{Prompt: silentPrompt{}}}
					a.Skipped = func(_ flows.Choice, err error) { skipped = err }
				}).Login(t.Context())
				if err != nil || c.Flow != "device" || shown {
					t.Errorf("Login() = %v by %q", err, c.Flow)
				}
				if skipped == nil || !strings.Contains(skipped.Error(), tt.why) {
					t.Errorf("the relay was skipped because of %v, want %q", skipped, tt.why)
				}
			})
		})
	}
}

// TestRelayAlone: if only the relay flow is requested, the rejection is the error.
func TestRelayAlone(t *testing.T) {
	w := newFixture()
	w.srv.Clients.NoWeb = true
	relay := &authcode.Relay{URL: "https://relay.test", HTTP: w.srv.Client(), Show: func(context.Context, authcode.RelayCode) {}}
	_, err := w.open(t, func(a *sessionConfig) { a.Flows = []flows.Flow{relay} }).Login(t.Context())
	if !errors.Is(err, mcplogin.ErrRegistration) || !errors.Is(err, flows.ErrUnsupported) {
		t.Errorf("Login() = %v", err)
	}
}
