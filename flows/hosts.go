package flows

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/mcp-login/mcp-login/oauth"
)

// maxHost is the maximum length of a domain name (RFC 1035 §2.3.4) with a port.
const maxHost = 261

// Hosts names the hosts that take part in a login, with ports, in a form that
// is safe to display. "" means that no such host takes part.
type Hosts struct {
	Server string `json:"server"`            // the MCP server that the token is for
	Issuer string `json:"issuer"`            // the authorization server's issuer
	SignIn string `json:"sign_in,omitempty"` // the sign-in page
	Token  string `json:"token_endpoint,omitempty"`
	Device string `json:"device_authorization_endpoint,omitempty"`
}

// HostsOf returns the hosts of a login to an MCP server by an authorization
// server. signIn is the URL of the sign-in page; "" means none.
func HostsOf(server string, as oauth.Server, signIn string) Hosts {
	return Hosts{
		Server: hostOf(server), Issuer: hostOf(as.Issuer), SignIn: hostOf(signIn),
		Token: hostOf(as.TokenEndpoint), Device: hostOf(as.DeviceAuthorizationEndpoint),
	}
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return oauth.Sanitize(raw, maxHost)
	}
	return oauth.Sanitize(u.Host, maxHost)
}

// Warning returns a one-line warning that names each host whose registrable
// domain differs from the issuer's; "" if none does. A difference does not
// prove fraud: Google and Microsoft have sign-in pages and token endpoints on
// different domains. The MCP server is not compared, because it normally
// delegates the sign-in to another domain.
func (h Hosts) Warning() string {
	var hosts, parts []string
	for _, p := range []struct{ what, host string }{
		{"the sign-in page", h.SignIn}, {"the token endpoint", h.Token}, {"the device endpoint", h.Device},
	} {
		if p.host == "" || registrableDomain(p.host) == registrableDomain(h.Issuer) || slices.Contains(hosts, p.host) {
			continue
		}
		hosts = append(hosts, p.host)
		parts = append(parts, p.what+" is on "+p.host)
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, but the token issuer is %s", strings.Join(parts, ", "), h.Issuer)
}

// registrableDomain returns the public suffix of a host plus one label (eTLD+1). It
// returns an IP address, localhost or a public suffix unchanged.
func registrableDomain(host string) string {
	name := strings.ToLower(strings.TrimSuffix((&url.URL{Host: host}).Hostname(), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}
