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

// maxHost is as long as a name can be (RFC 1035 §2.3.4), with a port.
const maxHost = 261

// Hosts names the hosts that take part in a login, with their ports, as they
// may be shown. "" means that no such host takes part.
type Hosts struct {
	Server string `json:"server"`            // the MCP server, which the token is for
	Issuer string `json:"issuer"`            // who issues the token, by the name of the authorization server
	SignIn string `json:"sign_in,omitempty"` // the page where a person signs in
	Token  string `json:"token_endpoint,omitempty"`
	Device string `json:"device_authorization_endpoint,omitempty"`
}

// HostsOf returns the hosts of a login to an MCP server by an authorization
// server. signIn is the page where a person signs in; "" means that none does.
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

// Warning is one line for people that names each host under another
// registrable domain than the issuer's; "" if there is none. This proves no
// fraud: Google and Microsoft sign people in on one domain and issue tokens on
// another. The MCP server does not count: leaving the sign-in to somebody else
// is what the specification has it do.
func (h Hosts) Warning() string {
	var hosts, parts []string
	for _, p := range []struct{ what, host string }{
		{"the sign-in page", h.SignIn}, {"the token endpoint", h.Token}, {"the device endpoint", h.Device},
	} {
		if p.host == "" || site(p.host) == site(h.Issuer) || slices.Contains(hosts, p.host) {
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

// site returns the registrable domain of a host: what somebody can register
// below a public suffix. An address, localhost and a public suffix itself are
// compared as they are.
func site(host string) string {
	name := strings.ToLower(strings.TrimSuffix((&url.URL{Host: host}).Hostname(), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}
