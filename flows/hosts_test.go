package flows_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// TestHostsThatLeaveTheIssuerAreNamed: hosts outside the issuer's registrable
// domain are listed in one line.
func TestHostsThatLeaveTheIssuerAreNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                          string
		issuer, signIn, token, device string
		want                          string
	}{
		{"all on one host", "https://as.example.com", "https://as.example.com/device", "https://as.example.com/token", "https://as.example.com/da", ""},
		{"other hosts of one domain", "https://as.example.com:8443/t", "https://login.example.com/", "https://api.example.com/token", "", ""},
		{"upper case and a final dot", "https://AS.Example.com", "https://login.example.COM./", "https://example.com/token", "", ""},
		{"no sign-in page", "https://as.example.com", "", "https://as.example.com/token", "", ""},
		{"Microsoft", "https://login.microsoftonline.com/t/v2.0", "https://microsoft.com/devicelogin", "https://login.microsoftonline.com/t/token", "https://login.microsoftonline.com/t/devicecode",
			"the sign-in page is on microsoft.com, but the token issuer is login.microsoftonline.com"},
		{"Google", "https://accounts.google.com", "https://www.google.com/device", "https://oauth2.googleapis.com/token", "https://oauth2.googleapis.com/device/code",
			"the token endpoint is on oauth2.googleapis.com, but the token issuer is accounts.google.com"},
		{"a look-alike host", "https://as.example.com", "https://as.example.com.evil.test/", "https://as.example.com/token", "",
			"the sign-in page is on as.example.com.evil.test, but the token issuer is as.example.com"},
		{"siblings below a public suffix", "https://a.co.uk", "https://b.co.uk/", "https://a.co.uk/token", "", "the sign-in page is on b.co.uk, but the token issuer is a.co.uk"},
		{"customers of one hosting provider", "https://a.github.io", "https://b.github.io/", "https://a.github.io/token", "", "the sign-in page is on b.github.io, but the token issuer is a.github.io"},
		{"a public suffix itself", "https://github.io", "https://a.github.io/", "https://github.io/token", "", "the sign-in page is on a.github.io, but the token issuer is github.io"},
		{"ports of one address", "http://127.0.0.1:1", "http://127.0.0.1:2/device", "http://127.0.0.1:3/token", "", ""},
		{"two addresses", "https://10.0.0.1", "https://10.0.0.2/device", "https://10.0.0.1/token", "", "the sign-in page is on 10.0.0.2, but the token issuer is 10.0.0.1"},
		{"IPv6 addresses", "http://[::1]:1", "http://[::1]:2/device", "http://[::1]/token", "", ""},
		{"localhost and its address", "http://localhost:1", "http://127.0.0.1:1/device", "http://localhost:1/token", "", "the sign-in page is on 127.0.0.1:1, but the token issuer is localhost:1"},
		{"three hosts", "https://a.test", "https://b.test/", "https://c.test/token", "https://d.test/da",
			"the sign-in page is on b.test, the token endpoint is on c.test, the device endpoint is on d.test, but the token issuer is a.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			as := oauth.Server{Issuer: tt.issuer, TokenEndpoint: tt.token, DeviceAuthorizationEndpoint: tt.device}
			if got := flows.HostsOf("https://mcp.other.test/mcp", as, tt.signIn).Warning(); got != tt.want {
				t.Errorf("Warning() = %q, want %q", got, tt.want)
			}
		})
	}
}
