package terminaltest

import (
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
)

// Now is when the sample code is issued.
func Now() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// Code returns a sample code, which the golden files show.
func Code() device.Code {
	return WithHosts(device.Code{
		UserCode:                "BCDF-GHJK",
		VerificationURI:         "https://auth.example.com/device",
		VerificationURIComplete: "https://auth.example.com/device?user_code=BCDF-GHJK",
		Expiry:                  Now().Add(15 * time.Minute),
		Interval:                5 * time.Second,
		Issuer:                  "https://auth.example.com",
		Server:                  "https://mcp.example.com/mcp",
		Client:                  "mcp-login",
	})
}

// WithHosts returns a code with the hosts of its URLs, as the flow does.
func WithHosts(c device.Code) device.Code {
	as := oauth.Server{Issuer: c.Issuer, TokenEndpoint: c.Issuer + "/token", DeviceAuthorizationEndpoint: c.Issuer + "/device_authorization"}
	c.Hosts = flows.HostsOf(c.Server, as, c.VerificationURI)
	return c
}
